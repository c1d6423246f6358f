import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { textQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { acceptRequest } from '../../shared/workflow/requests/accept-request.ts';

export const handler = textQueueHandler((text, { receivedAt }) =>
  acceptRequest(services(), parseRequest(text, receivedAt)),
);
