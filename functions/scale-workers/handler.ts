import { parseAlarm } from '../../shared/contracts/events/alarm-notification.ts';
import { textQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { alarmOwner, services } from '../../shared/runtime/services.ts';
import { hearOfAlarm } from '../../shared/workflow/scaling/hear-alarm.ts';

export const handler = textQueueHandler((text, { receivedAt }) =>
  hearOfAlarm(services(), parseAlarm(text, receivedAt, alarmOwner())),
);
