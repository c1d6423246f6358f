import { cutoverDrivers } from '../../shared/runtime/drivers.ts';
import { workHandler } from '../../shared/runtime/work-handler.ts';
import { cutoverPhase } from '../../shared/workflow/move-endpoint/cutover-phase.ts';

export const handler = workHandler(cutoverPhase, cutoverDrivers);
