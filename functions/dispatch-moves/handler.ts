import { dispatchMessage } from '../../shared/contracts/messages.ts';
import { gatheringQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';

export const handler = gatheringQueueHandler(dispatchMessage, (messages, invocation) =>
  dispatchMoves(services(), messages, invocation),
);
