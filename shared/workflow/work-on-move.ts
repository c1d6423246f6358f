import type { WorkMessage } from '../ports/bus.ts';
import { work } from './engine/work.ts';
import { moveEndpoint } from './move-endpoint/workflow.ts';
import type { MoveServices } from './move-endpoint/scene.ts';
import type { Invocation, Services } from './services.ts';

/** One message about one move: as many steps of its current phase as fit. */
export async function workOnMove(
  services: MoveServices & Pick<Services, 'bus' | 'chance'>,
  message: WorkMessage,
  invocation: Invocation,
): Promise<void> {
  await work(services, moveEndpoint(services), message, invocation);
}
