import * as z from 'zod';
import type { MovePolicy } from '../../domain/policy.ts';
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
  })
  .transform(({ pauseBudget, retention, ...rest }): MovePolicy => ({
    ...rest,
    pauseBudgetMs: pauseBudget,
    retentionMs: retention,
  }))
  .prefault({});
