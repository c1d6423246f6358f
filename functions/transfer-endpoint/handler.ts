import { workMessage } from '../../shared/contracts/messages.ts';
import { hostServices } from '../../shared/runtime/host-services.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';

export const handler = queueHandler(workMessage, (message, invocation) =>
  workOnMove(hostServices(), message, invocation),
);
