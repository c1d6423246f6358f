import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { StepEnd } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { isReplicated } from './inventory.ts';
import { confirmTables } from './verify/confirm.ts';
import { noteReport } from './verify/doubts.ts';
import { verifyProgress, verifyTables } from './verify/online.ts';
import type { Differences } from './verify/online.ts';

/**
 * Both sides compared while clients write, chunk by chunk. Rows that never stood still long enough to be seen
 * equal are noted in the target, beside the markers, and decided in the freeze.
 */
export async function verifyOnline(context: MoveContext, progress: Json | undefined): Promise<StepEnd> {
  const { source, target, sourceOid, job } = context;
  const known = verifyProgress.safeParse(progress);
  const { tables } = await context.inventory();
  const inside = await source.inside(sourceOid, 'work');
  const onTarget = await target.inside(await context.targetOid(), 'work');
  const end = await verifyTables(inside, onTarget, tables.filter(isReplicated), {
    ...(known.success ? { progress: known.data } : {}),
    goOn: () => job.remainingMs() > 3000,
    signal: job.signal,
  });
  if (end.kind === 'continue') return { kind: 'continue', progress: z.json().parse(end.progress) };
  context.forgetDoubts();
  await noteReport(onTarget, context.names.schema, end.report);
  const { left, ...counts } = end.report;
  return { kind: 'done', result: { ...counts, inDoubt: left.rows.length + left.tables.length } };
}

/** Nothing moves any more: what was in doubt is equal now, or the copy is broken. @throws StepFailure `content-differs` */
export async function settleDoubts(
  context: MoveContext,
  source: Session,
  target: Session,
  doubts: Differences,
): Promise<void> {
  if (doubts.rows.length === 0 && doubts.tables.length === 0) return;
  const { tables } = await context.inventory();
  const differ = await confirmTables(source, target, tables, doubts, []);
  if (differ.rows.length === 0 && differ.tables.length === 0) return;
  throw contentDiffers(context, differ);
}

export function contentDiffers(context: MoveContext, differ: Differences): StepFailure {
  const [first] = [...differ.tables, ...differ.rows];
  return new StepFailure(
    {
      code: 'content-differs',
      sentence: `The copy of "${context.job.database}" differs from its source in ${String(differ.rows.length)} rows and ${String(differ.tables.length)} tables, e.g. in "${first?.schema ?? ''}"."${first?.name ?? ''}".`,
      cure: 'The source serves as before. Start the move again; if it happens again, report it.',
    },
    'fail',
  );
}
