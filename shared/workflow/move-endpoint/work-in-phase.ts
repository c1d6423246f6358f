import type { Closable } from '../../ports/driver.ts';
import type { WorkMessage } from '../../ports/bus.ts';
import { work } from '../engine/work.ts';
import type { Invocation, Services } from '../services.ts';
import type { MoveServices } from './scene.ts';
import { moveEndpoint, type Phase } from './workflow.ts';

/**
 * One message about one move: as many steps of this phase as fit. A message of another phase, which somebody has put
 * into this one's queue, is sent to its own.
 */
export async function workInPhase<Session extends Closable>(
  services: MoveServices<Session> & Pick<Services, 'bus' | 'chance' | 'tracer'>,
  phase: Phase<Session>,
  message: WorkMessage,
  invocation: Invocation,
): Promise<void> {
  if (message.phase === phase.name) {
    await work(services, moveEndpoint(services, phase), message, invocation);
    return;
  }
  services.log.warn('message of another phase is sent on', { move: message.task, phase: message.phase });
  await services.bus.sendWork(message, 0);
}
