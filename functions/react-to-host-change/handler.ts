import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { describingDrivers, driverRegistry } from '../../shared/runtime/drivers.ts';
import { textQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';

const driver = driverRegistry(describingDrivers);

export const handler = textQueueHandler((text, { receivedAt }) =>
  reactToHostChange({ ...services(), driver }, parseHostChange(text, receivedAt)),
);
