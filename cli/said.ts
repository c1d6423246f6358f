import type { Batch } from '../shared/domain/batch.ts';
import type { Outlook } from '../shared/domain/explain.ts';
import { gatesOf, type GateScene } from '../shared/domain/gate.ts';
import type { Host } from '../shared/domain/host.ts';
import type { HostName } from '../shared/domain/ids.ts';
import { limitsSeen, type LimitOf } from '../shared/domain/limit-waits.ts';
import type { Move } from '../shared/domain/move.ts';
import { leastWindowMs } from '../shared/domain/window.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { Store } from '../shared/ports/store.ts';
import { machineCalendar } from '../shared/runtime/calendar.ts';
import { lookAtRooms } from '../shared/workflow/admission/look.ts';
import { readFleet } from '../shared/workflow/fleet-record.ts';
import { gateSceneOf, windowOf } from '../shared/workflow/gate-scene.ts';
import { freshPace } from '../shared/domain/pace.ts';
import type { Client } from './client.ts';

export type Said = Pick<GateScene, 'fleet' | 'window'>;

/** What holds back all of a batch, beside what stands on its own row. */
export async function saidOf(
  { clock, store }: { readonly clock: Clock; readonly store: Store },
  batch: Batch,
): Promise<Said> {
  return {
    fleet: await readFleet({ store }),
    window: windowOf({ clock, calendar: machineCalendar }, batch, leastWindowMs),
  };
}

/**
 * The limits at which moves may wait that have permits on their hosts.
 * @returns undefined when none of them stands in line: every host would be read for nothing
 */
export async function limitsFor(client: Client, moves: readonly Move[]): Promise<LimitOf | undefined> {
  const isInLine = ({ execution: { status } }: Move): boolean =>
    status.state === 'waiting' && status.waiting.code === 'permit';
  if (!moves.some(isInLine)) return undefined;
  const pace = (await client.store.load('pace', {})) ?? freshPace;
  const { rooms, fleet } = await lookAtRooms(client, pace);
  return limitsSeen(rooms, fleet.knobs.startsPerMinute, client.clock.now(), pace);
}

/** Why one move waits, as far as that is not on its own row. */
export async function outlookOn(
  client: Client,
  move: Move,
  hosts: ReadonlyMap<HostName, Host>,
): Promise<Outlook> {
  const { clock, store } = client;
  const [scene, limitOf] = await Promise.all([
    gateSceneOf({ clock, store, calendar: machineCalendar }, move, leastWindowMs),
    limitsFor(client, [move]),
  ]);
  const gateOf = gatesOf(scene, hosts, clock.now());
  return limitOf === undefined ? { gateOf } : { gateOf, limitOf };
}
