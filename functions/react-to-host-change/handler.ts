import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { hostServices } from '../../shared/runtime/host-services.ts';
import { textQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';

export const handler = textQueueHandler((text, { receivedAt }) =>
  reactToHostChange(hostServices(), parseHostChange(text, receivedAt)),
);
