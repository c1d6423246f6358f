import type { CleanupEntry } from './cleanup.ts';
import { isTerminal } from './execution.ts';
import type { HostName, MoveId } from './ids.ts';
import type { Move } from './move.ts';
import { claimOf, type Placement } from './placement.ts';
import type { StandingDatabase } from './stock.ts';

/** Something of ours on a host that does not serve, and what is known of the move that it is of. */
export interface Leftover {
  readonly host: HostName;
  readonly move: MoveId;
  readonly run: number;
  readonly item: CleanupEntry;
  /** `orphan`: its move has ended. `unknown`: there is no row of its move. */
  readonly is: 'orphan' | 'unknown';
}

/** All that an audit compares. The placements were read before any host was asked, and the moves after all had been. */
export interface AuditScene {
  readonly placements: readonly Placement[];
  /** Every host that is registered and not retired. Two of them may be one server. */
  readonly hosts: ReadonlyMap<HostName, { readonly driver: string; readonly systemIdentifier: string }>;
  /** What is on each host that could be asked. */
  readonly stock: ReadonlyMap<HostName, readonly StandingDatabase[]>;
  /** Of the moves that hold endpoints those that have a row. */
  readonly moves: ReadonlyMap<MoveId, Move>;
  readonly leftovers: readonly Leftover[];
}

/** What puts a difference right. */
export type Repair =
  | { readonly kind: 'place'; readonly before: Placement; readonly after: Placement }
  /** The sweep of the host: what it sees for the first time goes with its next look. */
  | { readonly kind: 'sweep'; readonly host: HostName }
  | { readonly kind: 'remove'; readonly leftover: Leftover };

/** Rows say one thing, and a host another. */
export interface Difference {
  readonly code: string;
  readonly subject: string;
  readonly sentence: string;
  /** What would put it right. */
  readonly cure: string;
  /** Absent where only a person can tell what is right. */
  readonly repair?: Repair;
}

/** How rows and hosts differ. Empty: they agree, as far as hosts could be asked. */
export function differencesIn(scene: AuditScene): readonly Difference[] {
  const placeOf = (host: HostName, database: string): string =>
    JSON.stringify([scene.hosts.get(host)?.systemIdentifier ?? host, database]);
  const names = new Set(scene.placements.map(({ host, database }) => placeOf(host, database)));
  const isClaimed = (host: HostName, database: string): boolean => names.has(placeOf(host, database));
  return [
    ...scene.placements.flatMap((placement) => ofPlacement(scene, placement, isClaimed)),
    ...scene.leftovers.map(ofLeftover),
  ];
}

/** A database of an endpoint's name on one host. */
interface Stood extends StandingDatabase {
  readonly host: HostName;
}

function ofPlacement(
  scene: AuditScene,
  placement: Placement,
  isClaimed: (host: HostName, database: string) => boolean,
): readonly Difference[] {
  const { endpoint, host, database } = placement;
  const stock = scene.stock.get(host);
  // What cannot be seen is told of its host.
  if (stock === undefined) return [];
  const here = stock.find((each) => each.database === database && each.copyOf === undefined);
  const elsewhere = elsewhereOf(scene, placement, isClaimed);
  const seen = [...(here === undefined ? [] : [{ ...here, host }]), ...elsewhere];
  const holder = holderOf(scene, placement, seen);
  // Hosts are changed by it right now, and it knows how.
  if (holder === 'at-work') return [];
  if (here?.access === 'open') return ofServing(placement, { ...here, host }, elsewhere, holder);
  const what =
    here === undefined
      ? `is placed on ${host}, where there is no database ${database}`
      : `is placed on ${host}, where its database ${database} is ${here.access === 'closed' ? 'closed' : 'closed for good'}, and no move is at it`;
  const about = { subject: `endpoint ${endpoint}` } as const;
  const [best, second] = elsewhere.toSorted((one, other) => tokenOf(other) - tokenOf(one));
  const silent = [...scene.hosts]
    .filter(([name, { driver }]) => driver === placement.driver && !scene.stock.has(name))
    .map(([name]) => name)
    .join(', ');
  if (best === undefined) {
    const cure =
      silent !== ''
        ? `make ${silent} answer, and audit again: it may be there`
        : here === undefined
          ? 'nobody serves it: look for a retained copy of it (dray history), or restore it from a backup and register that under a name of its own'
          : `open it again by hand once you know that it is whole (in PostgreSQL: ALTER DATABASE … ALLOW_CONNECTIONS true)`;
    return here === undefined
      ? [{ ...about, code: 'endpoint-missing', sentence: what, cure }]
      : [{ ...about, code: 'endpoint-closed', sentence: what, cure }];
  }
  const sentence = `${what}; ${best.host} serves it, marked by token ${String(tokenOf(best))}`;
  if (silent !== '') {
    const cure = `make ${silent} answer, and audit again: a newer one may be there`;
    return [{ ...about, code: 'endpoint-elsewhere', sentence, cure }];
  }
  if (here?.access === 'closed') {
    const cure = `find out which of the two is whole: the one on ${host} was not closed for good; then close the other one by hand`;
    return [{ ...about, code: 'endpoint-elsewhere', sentence, cure }];
  }
  if (second !== undefined && tokenOf(second) === tokenOf(best)) {
    const cure = `${second.host} serves it too, marked by the same: find out which of the two is whole, and close the other one by hand`;
    return [{ ...about, code: 'endpoint-open-twice', sentence, cure }];
  }
  const after = reconciled(placement, best.host, seen);
  return [
    {
      ...about,
      code: 'endpoint-elsewhere',
      sentence,
      cure: `place it on ${best.host}, with epoch ${String(after.epoch)}`,
      repair: { kind: 'place', before: placement, after },
    },
  ];
}

/** It is open where its row says. */
function ofServing(
  placement: Placement,
  here: Stood,
  elsewhere: readonly Stood[],
  holder: Exclude<HolderState, 'at-work'>,
): readonly Difference[] {
  const { endpoint, epoch, claims, claim, arbitration } = placement;
  const about = { subject: `endpoint ${endpoint}` } as const;
  if (elsewhere.length > 0) {
    return [
      {
        ...about,
        code: 'endpoint-open-twice',
        sentence: `is open on ${here.host}, and on ${elsewhere.map(({ host }) => host).join(', ')}, where moves of ours have been at it: both may take writes`,
        cure: 'find out which one clients write to, and close the other one by hand (in PostgreSQL: ALTER DATABASE … ALLOW_CONNECTIONS false); then audit again',
      },
    ];
  }
  const seen = { claims: claimOf(tokenOf(here)), epoch: here.marker?.epoch ?? 0 };
  if (seen.claims > claims || seen.epoch > epoch || holder === 'overtaken') {
    const after = reconciled(placement, here.host, [here]);
    return [
      {
        ...about,
        code: 'marker-ahead',
        sentence: `has a row of the past: ${here.host} has seen token ${String(tokenOf(here))} and epoch ${String(seen.epoch)}, the row knows of ${String(claims)} claims and epoch ${String(epoch)}`,
        cure: `raise its epoch to ${String(after.epoch)} and its claims to ${String(after.claims)}, so that later moves count and clients believe them`,
        repair: { kind: 'place', before: placement, after },
      },
    ];
  }
  if (holder !== 'ended') return [];
  return [
    {
      ...about,
      code: 'claim-left',
      sentence: `is ${arbitration.kind}, and held by move ${claim?.move ?? ''}, which has ended or is not known`,
      cure: 'let it serve, held by nobody',
      repair: { kind: 'place', before: placement, after: letGo(placement) },
    },
  ];
}

const tokenOf = ({ marker }: StandingDatabase): number => marker?.token ?? 0;

/** Open databases of its name that moves of ours have been at, and that are no other endpoint's; each server once. */
function elsewhereOf(
  { hosts, stock }: AuditScene,
  { host, driver, database }: Placement,
  isClaimed: (host: HostName, database: string) => boolean,
): readonly Stood[] {
  const servers = new Set([hosts.get(host)?.systemIdentifier]);
  const found: Stood[] = [];
  for (const [name, databases] of stock) {
    const at = hosts.get(name);
    if (at?.driver !== driver || servers.has(at.systemIdentifier) || isClaimed(name, database)) continue;
    const open = databases.find(
      (each) =>
        each.database === database &&
        each.access === 'open' &&
        each.copyOf === undefined &&
        each.marker !== undefined,
    );
    if (open === undefined) continue;
    servers.add(at.systemIdentifier);
    found.push({ ...open, host: name });
  }
  return found;
}

type HolderState = 'nobody' | 'at-work' | 'stuck' | 'ended' | 'overtaken';

/**
 * Who has the endpoint by its row. `overtaken`: hosts have seen newer tokens than the rows have given out, so that the
 * rows are of the past, and no worker of that move can do anything there.
 */
function holderOf({ moves }: AuditScene, { claim, claims }: Placement, seen: readonly Stood[]): HolderState {
  if (claim === undefined) return 'nobody';
  const newest = Math.max(0, ...seen.map(tokenOf));
  const move = moves.get(claim.move);
  if (claimOf(newest) > claims || (move !== undefined && newest > move.execution.token)) return 'overtaken';
  if (move?.execution.status.state === 'stuck') return 'stuck';
  return move === undefined || isTerminal(move.execution.status.state) ? 'ended' : 'at-work';
}

/** More than the flips of any one move. */
const spareEpochs = 100;

/**
 * The row of an endpoint as hosts have it: on `host`, serving, nobody's. Its epoch is above any that was ever told, and
 * tokens of later claims are above all that hosts have seen.
 */
function reconciled(placement: Placement, host: HostName, seen: readonly Stood[]): Placement {
  const claims = Math.max(placement.claims, ...seen.map((each) => claimOf(tokenOf(each))));
  const epoch = Math.max(placement.epoch, ...seen.map(({ marker }) => marker?.epoch ?? 0));
  return {
    ...letGo(placement),
    host,
    claims: claims + 1,
    epoch: epoch + spareEpochs * (1 + claims - placement.claims),
  };
}

function letGo({ claim: _, ...placement }: Placement): Placement {
  return { ...placement, arbitration: { kind: 'serving' } };
}

/** What may be the only copy of something. */
const dataKinds: readonly string[] = ['database', 'retained'];

function ofLeftover(leftover: Leftover): Difference {
  const { host, move, item, is } = leftover;
  const about = { subject: `host ${host}` } as const;
  const what = `has the ${item.kind} "${item.name}" of move ${move}`;
  if (is === 'orphan') {
    return {
      ...about,
      code: 'orphan',
      sentence: `${what}, which has ended`,
      cure: 'sweep the host: what the sweep sees for the first time goes with its next look, within ten minutes',
      repair: { kind: 'sweep', host },
    };
  }
  const sentence = `${what}, of which there is no row`;
  return dataKinds.includes(item.kind)
    ? {
        ...about,
        code: 'copy-of-unknown-move',
        sentence,
        cure: 'it may hold what nothing else does: look at it, and drop it by hand once its endpoint is known to be whole elsewhere',
      }
    : {
        ...about,
        code: 'thing-of-unknown-move',
        sentence,
        cure: 'remove it: it holds no data, and a slot keeps the log of its whole server',
        repair: { kind: 'remove', leftover },
      };
}

/** Of a host that could not be asked. */
export function unasked(host: HostName, why: string, cure: string): Difference {
  return { code: 'host-not-asked', subject: `host ${host}`, sentence: `was not asked: ${why}`, cure };
}
