import { rollbackDrivers } from '../../shared/runtime/drivers.ts';
import { workHandler } from '../../shared/runtime/work-handler.ts';
import { rollbackPhase } from '../../shared/workflow/move-endpoint/rollback.ts';

export const handler = workHandler(rollbackPhase, rollbackDrivers);
