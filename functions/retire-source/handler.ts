import { retireDrivers } from '../../shared/runtime/drivers.ts';
import { workHandler } from '../../shared/runtime/work-handler.ts';
import { retirePhase } from '../../shared/workflow/move-endpoint/retire.ts';

export const handler = workHandler(retirePhase, retireDrivers);
