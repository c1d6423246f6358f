import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { MoveContext } from '../context.ts';

/** Errors that may pass by themselves: a connection that was lost, a deadlock. */
const tolerated = 10;

/** @throws StepFailure `apply-fails` when the target fails again and again at the same change */
export async function assertFewApplyErrors({ target, names, job }: MoveContext): Promise<void> {
  const { errors } = await (
    await target.maintenance()
  ).one(
    `SELECT coalesce(sum(apply_error_count), 0)::int AS errors
       FROM pg_catalog.pg_stat_subscription_stats WHERE subname = $1`,
    [names.stream],
    z.object({ errors: z.int() }),
  );
  if (errors < tolerated) return;
  throw new StepFailure(
    {
      code: 'apply-fails',
      sentence: `The target "${job.target.host}" failed ${String(errors)} times to apply changes of this database.`,
      cure: 'Its server log says why (worker of the subscription). Was the schema changed on the source meanwhile?',
    },
    'fail',
  );
}
