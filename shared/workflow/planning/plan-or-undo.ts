import type { PlanMessage } from '../../ports/bus.ts';
import { undoBatch } from '../commands/undo-batch.ts';
import type { Invocation, Services } from '../services.ts';
import { planBatch, type PlanServices } from './plan-batch.ts';

/** One message about one batch: plans it, or once it is cancelled turns round what was planned. */
export async function planOrUndo(
  services: PlanServices & Pick<Services, 'settings'>,
  message: PlanMessage,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  await planBatch(services, message, invocation);
  await undoBatch(services, message.batch, invocation);
}
