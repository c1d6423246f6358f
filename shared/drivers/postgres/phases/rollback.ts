import type { MoveJob, RollbackSession } from '../../../ports/driver.ts';
import { MoveContext } from '../context.ts';
import { dropTarget } from '../drop-database.ts';
import { unfence } from '../fence/fence.ts';
import { held, hurried } from '../guard.ts';
import { dropReplication } from '../release.ts';

export const begin = (job: MoveJob): RollbackSession => rollbackSession(new MoveContext(job));

export function rollbackSession(context: MoveContext): RollbackSession {
  return {
    unfence: () => hurried(context, () => unfence(context)),
    dropReplication: () =>
      held(context, async () => {
        if (context.job.recorded !== undefined) await dropReplication(context);
      }),
    dropTarget: () => held(context, () => dropTarget(context)),
    close: () => context.close(),
  };
}
