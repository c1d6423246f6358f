import { StepFailure } from '../../domain/failure.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { fingerprint, schemaFacts, schemaPulse } from './schema/fingerprint.ts';

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

/**
 * Does the target have the schema of the source? Compared fact by fact where the servers are of one major;
 * across majors by what both write alike.
 * @throws StepFailure `schema-differs` naming the first differences
 */
export async function assertSameSchema(
  context: MoveContext,
  source: Session,
  target: Session,
): Promise<void> {
  const options = { ignoreSchemas: [context.names.schema], portableOnly: source.major !== target.major };
  const [here, there] = await Promise.all([schemaFacts(source, options), schemaFacts(target, options)]);
  const known = new Set(there);
  const missing = here.filter((fact) => !known.has(fact));
  if (missing.length === 0) return;
  throw new StepFailure(
    {
      code: 'schema-differs',
      sentence: `The schema on the target differs from that of "${context.job.database}" in ${String(missing.length)} facts, e.g. ${missing.slice(0, 3).join('; ')}.`,
      cure: 'If the schema was not changed meanwhile, report this with the facts.',
    },
    'fail',
  );
}
