import { transferDrivers } from '../../shared/runtime/drivers.ts';
import { workHandler } from '../../shared/runtime/work-handler.ts';
import { transferPhase } from '../../shared/workflow/move-endpoint/transfer.ts';

export const handler = workHandler(transferPhase, transferDrivers);
