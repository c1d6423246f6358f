import { scheduleHandler } from '../../shared/runtime/schedule-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { fanOutHostSweep } from '../../shared/workflow/sweep/sweep-host.ts';

export const handler = scheduleHandler(() => fanOutHostSweep(services()));
