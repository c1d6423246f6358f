import { differencesIn, unasked, type Difference, type Leftover } from '../../domain/audit.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host.ts';
import type { HostName, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { StandingDatabase } from '../../domain/stock.ts';
import type { Residue } from '../../ports/driver.ts';
import { everyHost } from '../every-host.ts';
import { everyPage } from '../every-page.ts';
import { siteOf } from '../host-site.ts';
import { isLeftBehind, type HostSweepServices } from '../sweep/sweep-host.ts';

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
 * Placements are read before hosts are asked: what is written afterwards on the version that was read cannot have
 * overlooked anything that a move has done meanwhile.
 *
 * @throws StoreUnavailable, RowUnreadable
 */
export async function audit(services: HostSweepServices): Promise<Audit> {
  const { store, views } = services;
  const placements = await placementsIn(services);
  const hosts = (await everyHost({ store, views })).filter(({ intent }) => intent.value !== 'retired');
  const answers: Answer[] = [];
  const differences: Difference[] = [];
  for (let at = 0; at < hosts.length; at += abreast) {
    const said = await Promise.all(hosts.slice(at, at + abreast).map(async (host) => ask(services, host)));
    for (const each of said)
      if ('stock' in each) answers.push(each);
      else differences.push(each);
  }
  // After the hosts: a worker takes its token in the row before it shows it to a host.
  const moves = await movesIn(services, [
    ...placements.flatMap(({ claim }) => (claim === undefined ? [] : [claim.move])),
    ...answers.flatMap(({ residue }) => residue.map(({ move }) => move)),
  ]);
  return {
    endpoints: placements.length,
    hosts: answers.map(({ host }) => host.name),
    differences: [
      ...differences,
      ...differencesIn({
        placements,
        hosts: new Map(hosts.map((host) => [host.name, host])),
        stock: new Map(answers.map(({ host, stock }) => [host.name, stock])),
        moves,
        leftovers: answers.flatMap((answer) => leftoversOf(answer, moves)),
      }),
    ],
  };
}

async function ask(services: HostSweepServices, host: Host): Promise<Answer | Difference> {
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

async function placementsIn({ store, views }: HostSweepServices): Promise<readonly Placement[]> {
  const names = await everyPage((cursor) => views.endpoints(cursor));
  const found: Placement[] = [];
  for (let at = 0; at < names.length; at += chunk) {
    const keys = names.slice(at, at + chunk).map((endpoint) => ({ endpoint }));
    found.push(...(await store.loadMany('endpoint', keys)).flatMap((each) => each ?? []));
  }
  return found;
}

async function movesIn(
  { store }: HostSweepServices,
  ids: readonly MoveId[],
): Promise<ReadonlyMap<MoveId, Move>> {
  const unique = [...new Set(ids)];
  const found = new Map<MoveId, Move>();
  for (let at = 0; at < unique.length; at += chunk) {
    const keys = unique.slice(at, at + chunk).map((id) => ({ id }));
    for (const move of await store.loadMany('move', keys)) if (move !== undefined) found.set(move.id, move);
  }
  return found;
}

function leftoversOf({ host, residue }: Answer, moves: ReadonlyMap<MoveId, Move>): readonly Leftover[] {
  return residue.flatMap(({ move: id, run, item }) => {
    const move = moves.get(id);
    if (move !== undefined && !isLeftBehind(move, { run })) return [];
    return [{ host: host.name, move: id, run, item, is: move === undefined ? 'unknown' : 'orphan' } as const];
  });
}
