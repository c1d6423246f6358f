import { scheduleHandler } from '../../shared/runtime/schedule-handler.ts';
import { services } from '../../shared/runtime/services.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';

export const handler = scheduleHandler((invocation) => sweepRows(services(), invocation));
