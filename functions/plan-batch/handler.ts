import { planMessage } from '../../shared/contracts/messages.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { planBatch } from '../../shared/workflow/planning/plan-batch.ts';

export const handler = queueHandler(planMessage, (message, invocation) =>
  planBatch(services(), message, invocation),
);
