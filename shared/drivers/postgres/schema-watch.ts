import { StepFailure } from '../../domain/failure.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { fingerprint, schemaPulse } from './schema/fingerprint.ts';

/**
 * Replication carries rows, not DDL: a schema that changes during a move ends it. The whole fingerprint takes
 * tens of milliseconds; in the freeze the catalogs' pulse tells in one or two that nothing was touched since
 * the fingerprint was last taken.
 */
export async function assertSchemaUnchanged(context: MoveContext, session: Session): Promise<void> {
  // In this order: what changes in between shows in the next pulse.
  const pulse = await schemaPulse(session);
  if (!(await hasRecordedFingerprint(context, session))) throw schemaChanged(context);
  context.pulse = pulse;
}

export async function isSchemaUnchanged(context: MoveContext, session: Session): Promise<boolean> {
  if (context.pulse !== undefined && (await schemaPulse(session)) === context.pulse) return true;
  return await hasRecordedFingerprint(context, session);
}

async function hasRecordedFingerprint({ names, plan }: MoveContext, session: Session): Promise<boolean> {
  const now = await fingerprint(session, { ignoreSchemas: [names.schema] });
  return now.exact === plan.fingerprint.exact;
}

export function schemaChanged(context: MoveContext): StepFailure {
  return new StepFailure(
    {
      code: 'schema-changed',
      sentence: `The schema of "${context.job.database}" on host "${context.job.source.host}" was changed during the move.`,
      cure: 'Hold migrations while an endpoint moves, and start the move again: the source serves as before.',
    },
    'fail',
  );
}
