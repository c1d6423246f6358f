import * as z from 'zod';
import type { BatchPolicy, MovePolicy } from '../../domain/policy.ts';
import type { MaintenanceWindow } from '../../domain/window.ts';
import { timeField } from '../fields.ts';
import { durationField } from './duration.ts';

const mebibyte = 1_048_576;
const day = 86_400_000;

/** How a batch moves its endpoints when its request says nothing of it. The only place of these figures. */
export const policyDefaults = {
  roles: 'require',
  pauseBudgetMs: 2_000,
  lagLimitBytes: mebibyte,
  retentionMs: day,
  offline: 'refuse',
} as const satisfies MovePolicy;

const lagRule = 'from 1,024 bytes to 1 GiB';

const cronRule = 'five fields of a cron expression, e.g. "0 2 * * *"';

/** `data.policy.window`: whether it ever opens is looked at when the batch is made. */
const windowField = z
  .strictObject({
    cron: z.string().regex(/^[A-Za-z0-9*,/#?-]+(?: [A-Za-z0-9*,/#?-]+){4}$/, { error: cronRule }),
    duration: durationField(60_000, 7 * day, 'from 1 minute to 7 days'),
    timeZone: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/, { error: 'the name of a time zone, e.g. "Europe/Berlin"' })
      .default('UTC'),
  })
  .transform(({ duration, ...rest }): MaintenanceWindow => ({ ...rest, durationMs: duration }));

/** `data.policy` of a request: any part of it may be left out. */
export const policyField = z
  .strictObject({
    roles: z.enum(['require', 'copy']).default(policyDefaults.roles),
    pauseBudget: durationField(10, 600_000, 'from 10 ms to 10 minutes').default(policyDefaults.pauseBudgetMs),
    lagLimitBytes: z
      .int({ error: lagRule })
      .min(1_024, { error: lagRule })
      .max(1_024 * mebibyte, { error: lagRule })
      .default(policyDefaults.lagLimitBytes),
    retention: durationField(0, 90 * day, 'from 0 to 90 days').default(policyDefaults.retentionMs),
    offline: z.enum(['refuse', 'allow']).default(policyDefaults.offline),
    approval: z.enum(['none', 'required']).default('none'),
    holdBeforeCutover: z.boolean().default(false),
    start: z.enum(['at-once', 'manual']).default('at-once'),
    startAt: timeField.optional(),
    window: windowField.optional(),
  })
  .transform(
    ({
      pauseBudget,
      retention,
      approval,
      holdBeforeCutover,
      start,
      startAt,
      window,
      ...rest
    }): BatchPolicy => ({
      ...rest,
      pauseBudgetMs: pauseBudget,
      retentionMs: retention,
      ...(approval === 'required' ? { approval } : {}),
      ...(holdBeforeCutover ? { holdBeforeCutover } : {}),
      ...(start === 'manual' ? { start } : {}),
      ...(startAt === undefined ? {} : { startAt: Date.parse(startAt) }),
      ...(window === undefined ? {} : { window }),
    }),
  )
  .prefault({});
