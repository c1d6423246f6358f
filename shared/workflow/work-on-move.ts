import type { WorkMessage } from '../ports/bus.ts';
import { workInPhase } from './move-endpoint/work-in-phase.ts';
import { phaseNamed } from './move-endpoint/phases.ts';
import type { MoveServices } from './move-endpoint/scene.ts';
import type { Invocation, Services } from './services.ts';

/** One message about one move, whatever its phase, as the function of that phase works on it. */
export async function workOnMove(
  services: MoveServices & Pick<Services, 'bus' | 'chance' | 'tracer'>,
  message: WorkMessage,
  invocation: Invocation,
): Promise<void> {
  await workInPhase(services, phaseNamed(message.phase), message, invocation);
}
