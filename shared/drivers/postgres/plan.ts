import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import { databaseAttributes } from './schema/attributes.ts';

/** A table as `TableName` says it. */
const tableName = z.object({ schema: z.string(), name: z.string() });

/**
 * What a move knows of its source, read once at preflight and never again: a second reading would take what
 * the move itself has changed for what was there before.
 */
const planShape = z.object({
  mode: z.enum(['online', 'offline']),
  systemIdentifier: z.string(),
  /** Owner, grants, settings, limits of the database; its oid is that of the source's. */
  attributes: databaseAttributes,
  /** Tables that need REPLICA IDENTITY FULL while they are replicated, with what they had. */
  identities: z.array(tableName.extend({ was: z.string() })),
  /** Bytes in tables: what the copy has to move. */
  tableBytes: z.number(),
  fingerprint: z.object({ exact: z.string(), portable: z.string() }),
});

export type MovePlan = z.infer<typeof planShape>;

/** What preflight hands back as `recorded`. */
export const recordPlan = (plan: MovePlan): Json => planShape.parse(plan);

/** @throws StepFailure `preflight-missing` when no preflight of this driver has run */
export function readPlan(recorded: Json | undefined): MovePlan {
  const parsed = planShape.safeParse(recorded);
  if (parsed.success) return parsed.data;
  throw new StepFailure(
    {
      code: 'preflight-missing',
      sentence: 'This move has no preflight, or one of another version of Drayage.',
      cure: 'Start the move again: the source was not touched.',
    },
    'fail',
  );
}
