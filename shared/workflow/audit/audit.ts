import { differencesIn, unasked, unreadable } from '../../domain/audit/differences.ts';
import type { Difference, Leftover } from '../../domain/audit/scene.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host.ts';
import type { HostName, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { StandingDatabase } from '../../domain/stock.ts';
import type { HostDriver, Residue } from '../../ports/driver.ts';
import { loadReadable } from '../each-apart.ts';
import { everyPage } from '../every-page.ts';
import { siteOf } from '../host-site.ts';
import { isLeftBehind, type HostSweepServices } from '../sweep/sweep-host.ts';

export interface AuditServices extends HostSweepServices {
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<HostDriver>;
}

export interface Audit {
  readonly endpoints: number;
  /** Hosts that were asked. */
  readonly hosts: readonly HostName[];
  readonly differences: readonly Difference[];
}

/** What one host has said. */
interface Answer {
  readonly host: Host;
  readonly stock: readonly StandingDatabase[];
  readonly residue: readonly Residue[];
}

/** Hosts that are asked at once. */
const abreast = 8;

/**
 * Compares every placement with what is on every host. Changes nothing.
 *
 * Placements are read before hosts are asked, and those that differ once more at the end: what a move has begun or
 * done meanwhile is no difference, and what is written on the version that was read cannot have overlooked it. A row
 * that cannot be read is a difference of its own, and nothing is said of what it is about.
 *
 * @throws StoreUnavailable
 */
export async function audit(services: AuditServices): Promise<Audit> {
  const differences: Difference[] = [];
  const illegible = (subject: string): void => {
    differences.push(unreadable(subject));
  };
  const placements = await placementsIn(services, illegible);
  const { hosts, unknown } = await hostsIn(services);
  const answers: Answer[] = [];
  for (const name of unknown)
    differences.push(
      unasked(name, 'its row cannot be read', 'deploy the release that wrote it, or repair the row'),
    );
  for (let at = 0; at < hosts.length; at += abreast) {
    const said = await Promise.all(hosts.slice(at, at + abreast).map(async (host) => ask(services, host)));
    for (const each of said)
      if ('stock' in each) answers.push(each);
      else differences.push(each);
  }
  // After the hosts: a worker takes its token in the row before it shows it to a host.
  const moves = await movesIn(
    services,
    [
      ...placements.flatMap(({ claim }) => (claim === undefined ? [] : [claim.move])),
      ...answers.flatMap(({ residue }) => residue.map(({ move }) => move)),
    ],
    illegible,
  );
  const found = differencesIn({
    placements,
    hosts: new Map<HostName, Host | 'unreadable'>([
      ...hosts.map((host) => [host.name, host] as const),
      ...unknown.map((name) => [name, 'unreadable'] as const),
    ]),
    stock: new Map(answers.map(({ host, stock }) => [host.name, stock])),
    moves,
    leftovers: answers.flatMap((answer) => leftoversOf(answer, moves)),
  });
  return {
    endpoints: placements.length,
    hosts: answers.map(({ host }) => host.name),
    differences: [...differences, ...(await stillSo(services, found))],
  };
}

/** Without differences of endpoints whose rows have changed since they were compared. */
async function stillSo(
  services: AuditServices,
  found: readonly Difference[],
): Promise<readonly Difference[]> {
  const compared = found.flatMap(({ placement }) => placement ?? []);
  const now = await loadReadable(services, 'endpoint', compared);
  const changed = new Set(
    compared.filter(({ version }, at) => {
      const row = now[at];
      return row === undefined || row === 'unreadable' || row.version !== version;
    }),
  );
  return found.filter(({ placement }) => placement === undefined || !changed.has(placement));
}

/** Hosts that are not retired, and the names of those whose rows cannot be read. */
async function hostsIn(
  services: AuditServices,
): Promise<{ readonly hosts: readonly Host[]; readonly unknown: readonly HostName[] }> {
  const names = await everyPage((cursor) => services.views.hosts(cursor));
  const rows = await loadReadable(
    services,
    'host',
    names.map((name) => ({ name })),
  );
  return {
    hosts: rows.flatMap((row) =>
      row === undefined || row === 'unreadable' || row.intent.value === 'retired' ? [] : [row],
    ),
    unknown: names.filter((_, at) => rows[at] === 'unreadable'),
  };
}

async function ask(services: AuditServices, host: Host): Promise<Answer | Difference> {
  const { installation } = services.settings;
  try {
    const site = await siteOf(services, host);
    const driver = await services.driver(host.driver);
    const { systemIdentifier } = await driver.describe(site);
    if (systemIdentifier !== host.systemIdentifier) {
      return unasked(
        host.name,
        'the server at its address is not the one that was registered',
        'correct the address with dray host change',
      );
    }
    return {
      host,
      stock: await driver.takeStock(site, installation),
      residue: await driver.findResidue(site, installation),
    };
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return unasked(host.name, error.failure.sentence, error.failure.cure);
  }
}

const chunk = 500;

async function placementsIn(
  services: AuditServices,
  illegible: (subject: string) => void,
): Promise<readonly Placement[]> {
  const names = await everyPage((cursor) => services.views.endpoints(cursor));
  const found: Placement[] = [];
  for (let at = 0; at < names.length; at += chunk) {
    const keys = names.slice(at, at + chunk).map((endpoint) => ({ endpoint }));
    const rows = await loadReadable(services, 'endpoint', keys);
    for (const [nth, row] of rows.entries())
      if (row === 'unreadable') illegible(`endpoint ${keys[nth]?.endpoint ?? ''}`);
      else if (row !== undefined) found.push(row);
  }
  return found;
}

async function movesIn(
  services: AuditServices,
  ids: readonly MoveId[],
  illegible: (subject: string) => void,
): Promise<ReadonlyMap<MoveId, Move | 'unreadable'>> {
  const unique = [...new Set(ids)];
  const found = new Map<MoveId, Move | 'unreadable'>();
  for (let at = 0; at < unique.length; at += chunk) {
    const some = unique.slice(at, at + chunk);
    const rows = await loadReadable(
      services,
      'move',
      some.map((id) => ({ id })),
    );
    for (const [nth, id] of some.entries()) {
      const row = rows[nth];
      if (row === 'unreadable') illegible(`move ${id}`);
      if (row !== undefined) found.set(id, row);
    }
  }
  return found;
}

function leftoversOf(
  { host, residue }: Answer,
  moves: ReadonlyMap<MoveId, Move | 'unreadable'>,
): readonly Leftover[] {
  return residue.flatMap(({ move: id, run, item }) => {
    const move = moves.get(id);
    if (move === 'unreadable' || (move !== undefined && !isLeftBehind(move, { run }))) return [];
    return [{ host: host.name, move: id, run, item, is: move === undefined ? 'unknown' : 'orphan' } as const];
  });
}
