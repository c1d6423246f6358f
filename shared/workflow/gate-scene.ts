import type { Batch } from '../domain/batch.ts';
import type { AskedWindow, Closed, GateScene } from '../domain/gate.ts';
import type { Fleet } from '../domain/fleet.ts';
import type { Move } from '../domain/move.ts';
import { loadReadable } from './each-apart.ts';
import { readFleet } from './fleet-record.ts';
import type { StepOutcome } from './engine/workflow.ts';
import type { Services } from './services.ts';

type SceneServices = Pick<Services, 'store' | 'clock' | 'calendar' | 'log'>;

/**
 * All that people have said of a move, read consistently at this moment.
 * @param needMs how long it needs within its window, in milliseconds
 */
export async function gateSceneOf(
  services: SceneServices,
  {
    id,
    batch: batchId,
    endpoint,
    source,
    target,
  }: Pick<Move, 'id' | 'batch' | 'endpoint' | 'source' | 'target'>,
  needMs: number,
): Promise<GateScene & { readonly fleet: Fleet }> {
  const [fleet, [batch], hosts, [placement], [move]] = await Promise.all([
    readFleet(services),
    loadReadable(services, 'batch', [{ id: batchId }]),
    loadReadable(services, 'host', [{ name: source }, { name: target }]),
    loadReadable(services, 'endpoint', [{ endpoint }]),
    loadReadable(services, 'move', [{ id }]),
  ]);
  return {
    fleet,
    batch: readable(batch),
    hosts: hosts.flatMap((host) => readable(host) ?? []),
    placement: readable(placement),
    window: windowOf(services, readable(batch), needMs),
    cutover: readable(move)?.cutover,
  };
}

const readable = <T>(row: T | 'unreadable' | undefined): T | undefined =>
  row === 'unreadable' ? undefined : row;

/** How the window of a batch stands now, for what needs so long. */
export function windowOf(
  { clock, calendar }: Pick<Services, 'clock' | 'calendar'>,
  batch: Pick<Batch, 'policy'> | undefined,
  needMs: number,
): AskedWindow | undefined {
  const of = batch?.policy.window;
  return of === undefined ? undefined : { of, times: calendar.timesOf(of, clock.now()), needMs };
}

/** Looked at again so often at the latest, in milliseconds, should the word that opens the gate wake nobody. */
const lookAgainMs = 300_000;

/** The wait before a closed gate. */
export function waitAtGate({ code, on, opensAt }: Closed, now: number): StepOutcome {
  // What the clock opens needs no look before.
  return {
    kind: 'wait',
    code,
    on,
    afterMs: opensAt === undefined ? lookAgainMs : Math.max(1_000, opensAt - now),
  };
}
