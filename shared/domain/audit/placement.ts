import { isTerminal } from '../execution.ts';
import type { HostName } from '../ids.ts';
import { claimOf, type Placement } from '../placement.ts';
import type { StandingDatabase } from '../stock.ts';
import type { AuditScene, Difference } from './scene.ts';

export const serverOf = ({ hosts }: AuditScene, name: HostName): string | undefined => {
  const host = hosts.get(name);
  return host === undefined || host === 'unreadable' ? undefined : host.systemIdentifier;
};

/** A database of an endpoint's name on one host. */
interface Stood extends StandingDatabase {
  readonly host: HostName;
}

/** How an endpoint's row differs from what is on hosts. @param isClaimed whether a database is an endpoint's by its row */
export function ofPlacement(
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
    .filter(([, host]) => host === 'unreadable' || host.driver === placement.driver)
    .filter(([name]) => !scene.stock.has(name))
    .map(([name]) => name)
    .join(', ');
  if (best === undefined) {
    const cure =
      silent !== ''
        ? `make ${silent} answer, and audit again: it may be there`
        : here === undefined
          ? 'no host that this table knows serves it: register those that it does not know, then look for a retained copy of it (dray history), or restore it from a backup and register that under a name of its own'
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
  if (second !== undefined) {
    const cure = `${second.host} serves one of its name too, marked by token ${String(tokenOf(second))}: find out which of the two it is, and close the other one by hand, or register it under a name of its own`;
    return [{ ...about, code: 'endpoint-open-twice', sentence, cure }];
  }
  const others = namesakesOf(scene, placement);
  if (others.length > 0) {
    const cure = `${others.join(', ')} may be it as well, by the name of the database: find out whose it is, and correct the row of that endpoint first`;
    return [{ ...about, code: 'endpoint-elsewhere', sentence, cure }];
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

/** Endpoints whose databases have the same name, and that are not open where their rows say either. */
function namesakesOf({ placements, stock }: AuditScene, { endpoint, driver, database }: Placement): string[] {
  const isOpen = ({ host }: Placement): boolean =>
    stock.get(host)?.some((each) => each.database === database && each.access === 'open') === true;
  return placements
    .filter((each) => each.endpoint !== endpoint && each.driver === driver && each.database === database)
    .filter((each) => !isOpen(each))
    .map((each) => `endpoint ${each.endpoint}`);
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
  scene: AuditScene,
  { host, driver, database }: Placement,
  isClaimed: (host: HostName, database: string) => boolean,
): readonly Stood[] {
  const servers = new Set([serverOf(scene, host)]);
  const found: Stood[] = [];
  for (const [name, databases] of scene.stock) {
    const at = scene.hosts.get(name);
    if (
      at === undefined ||
      at === 'unreadable' ||
      at.driver !== driver ||
      servers.has(at.systemIdentifier) ||
      isClaimed(name, database)
    )
      continue;
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
  // Whether it is at work cannot be told: nothing is done to what it may be at.
  if (move === 'unreadable') return 'at-work';
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
