import { planMessage } from '../../shared/contracts/messages.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { planOrUndo } from '../../shared/workflow/planning/plan-or-undo.ts';

export const handler = queueHandler(planMessage, (message, invocation) =>
  planOrUndo(services(), message, invocation),
);
