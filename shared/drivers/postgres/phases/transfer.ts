import type { MoveJob, StepEnd, TransferSession } from '../../../ports/driver.ts';
import { awaitLag, completeSchema } from '../catch-up.ts';
import { MoveContext } from '../context.ts';
import { makeDurable } from '../durable.ts';
import { held } from '../guard.ts';
import { preflightMove } from '../preflight-move.ts';
import { provision } from '../provision.ts';
import { copyOnline } from '../replication/copy.ts';
import { keepingShort } from '../replication/scanned-tables.ts';
import { verifyOnline } from '../verify-move.ts';

const offline: StepEnd = { kind: 'done', result: { mode: 'offline' } };

export const begin = (job: MoveJob): TransferSession => transferSession(new MoveContext(job));

export function transferSession(context: MoveContext): TransferSession {
  let lagCalls = 0;

  /** What is done on the target stays done: its end is recorded only once a crash cannot undo it. */
  const stage = (work: () => Promise<StepEnd>): Promise<StepEnd> =>
    held(context, async () => {
      const end = await work();
      if (end.kind === 'done') await makeDurable(context);
      return end;
    });

  /** What is done online only, beside clients that write. */
  const onlineStage = async (work: () => Promise<StepEnd>): Promise<StepEnd> =>
    context.isOffline ? offline : stage(work);

  return {
    preflight: () => preflightMove(context),
    provision: () => stage(() => provision(context)),
    copy: () => onlineStage(() => keepingShort(context, () => copyOnline(context))),
    catchUp: (progress) =>
      onlineStage(async () => {
        const unfinished = await completeSchema(context);
        if (unfinished !== undefined) return unfinished;
        lagCalls += 1;
        return keepingShort(context, () => awaitLag(context, lagCalls, progress));
      }),
    verify: (progress) => onlineStage(() => keepingShort(context, () => verifyOnline(context, progress))),
    ping: (side) =>
      held(context, async () => {
        await (await context[side].maintenance()).execute('SELECT 1');
      }),
    close: () => context.close(),
  };
}
