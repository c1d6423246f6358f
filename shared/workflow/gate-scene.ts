import type { Batch } from '../domain/batch.ts';
import type { AskedWindow, Closed, GateScene } from '../domain/gate.ts';
import type { Fleet } from '../domain/fleet.ts';
import { leadOf } from '../domain/move-reasons.ts';
import type { Move } from '../domain/move.ts';
import { loadReadable } from './each-apart.ts';
import { readFleet } from './fleet-record.ts';
import type { StepOutcome } from './engine/workflow.ts';
import type { Services } from './services.ts';

type SceneServices = Pick<Services, 'store' | 'clock' | 'calendar'> & Partial<Pick<Services, 'log'>>;

/**
 * All that people have said of a move, read consistently at this moment.
 * @param needMs how long it needs within its window, in milliseconds
 */
export async function gateSceneOf(
  services: SceneServices,
  seen: Pick<Move, 'id' | 'batch' | 'reasons' | 'endpoint' | 'source' | 'target'>,
  needMs: number,
): Promise<GateScene & { readonly fleet: Fleet }> {
  const { id, endpoint, source, target } = seen;
  const [fleet, [seenLead], hosts, [placement], [found]] = await Promise.all([
    readFleet(services),
    loadReadable(services, 'batch', [{ id: leadOf(seen) }]),
    loadReadable(services, 'host', [{ name: source }, { name: target }]),
    loadReadable(services, 'endpoint', [{ endpoint }]),
    loadReadable(services, 'move', [{ id }]),
  ]);
  const move = readable(found);
  // A more urgent batch may have joined it meanwhile, or the one whose words counted does not want it any more.
  const lead = leadOf(move ?? seen);
  const [batch] = lead === leadOf(seen) ? [seenLead] : await loadReadable(services, 'batch', [{ id: lead }]);
  return {
    fleet,
    batch: readable(batch),
    hosts: hosts.flatMap((host) => readable(host) ?? []),
    placement: readable(placement),
    window: windowOf(services, readable(batch), needMs),
    cutover: move?.cutover,
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

/**
 * How long, in milliseconds, until a move looks again by itself: soon at first, for a word may have opened the gate
 * after the move had looked and before it said that it waits, and such a word wakes nobody; then as long again as it has
 * waited.
 */
const lookAgainMs = { first: 5_000, last: 300_000 } as const;

/** The wait before a closed gate. */
export function waitAtGate({ code, on, opensAt }: Closed, { execution }: Move, now: number): StepOutcome {
  const { status } = execution;
  const waited = 'waiting' in status && status.waiting.code === code ? now - status.waiting.since : 0;
  const again = Math.min(lookAgainMs.last, Math.max(lookAgainMs.first, waited));
  // What the clock opens needs no look before.
  const afterMs = opensAt === undefined ? again : Math.max(1_000, opensAt - now);
  return { kind: 'wait', code, on, afterMs };
}
