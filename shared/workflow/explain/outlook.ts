import type { Batch } from '../../domain/batch.ts';
import type { Outlook } from '../../domain/explain.ts';
import { gatesOf } from '../../domain/gate.ts';
import type { Host } from '../../domain/host.ts';
import type { HostName } from '../../domain/ids.ts';
import { limitsSeen, type LimitOf } from '../../domain/limit-waits.ts';
import type { Move } from '../../domain/move.ts';
import { freshPace } from '../../domain/pace.ts';
import { leastWindowMs } from '../../domain/window.ts';
import { lookAtRooms } from '../admission/look.ts';
import { readFleet } from '../fleet-record.ts';
import { gateSceneOf, windowOf } from '../gate-scene.ts';
import type { Services } from '../services.ts';
import type { Said } from './batch-snapshot.ts';

/** All that it takes to explain anything: nothing of it writes. */
export type ExplainServices = Pick<Services, 'store' | 'views' | 'clock' | 'calendar'>;

/** What holds back all of a batch, beside what stands on its own row. */
export async function saidOf(services: ExplainServices, batch: Batch): Promise<Said> {
  return {
    fleet: await readFleet(services),
    window: windowOf(services, batch, leastWindowMs),
  };
}

/**
 * The limits at which moves may wait that have permits on their hosts.
 * @returns undefined when none of them stands in line: every host would be read for nothing
 */
export async function limitsFor(
  services: ExplainServices,
  moves: readonly Move[],
): Promise<LimitOf | undefined> {
  const isInLine = ({ execution: { status } }: Move): boolean =>
    status.state === 'waiting' && status.waiting.code === 'permit';
  if (!moves.some(isInLine)) return undefined;
  const pace = (await services.store.load('pace', {})) ?? freshPace;
  const { rooms, fleet } = await lookAtRooms(services, pace);
  return limitsSeen(rooms, fleet.knobs.startsPerMinute, services.clock.now(), pace);
}

/** Why one move waits, as far as that is not on its own row. */
export async function outlookOn(
  services: ExplainServices,
  move: Move,
  hosts: ReadonlyMap<HostName, Host>,
): Promise<Outlook> {
  const [scene, limitOf] = await Promise.all([
    gateSceneOf(services, move, leastWindowMs),
    limitsFor(services, [move]),
  ]);
  const gateOf = gatesOf(scene, hosts, services.clock.now());
  return limitOf === undefined ? { gateOf } : { gateOf, limitOf };
}
