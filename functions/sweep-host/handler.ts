import { hostSweepMessage } from '../../shared/contracts/messages.ts';
import { hostServices } from '../../shared/runtime/host-services.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';

export const handler = queueHandler(hostSweepMessage, ({ host }) => sweepHost(hostServices(), host));
