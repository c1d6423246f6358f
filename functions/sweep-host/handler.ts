import { hostSweepMessage } from '../../shared/contracts/messages.ts';
import { driverRegistry, sweepingDrivers } from '../../shared/runtime/drivers.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';

const driver = driverRegistry(sweepingDrivers);

export const handler = queueHandler(hostSweepMessage, ({ host }) =>
  sweepHost({ ...services(), driver }, host),
);
