import type { MoveJob, RetireSession } from '../../../ports/driver.ts';
import { MoveContext } from '../context.ts';
import { retire } from '../drop-database.ts';
import { held } from '../guard.ts';

export const begin = (job: MoveJob): RetireSession => retireSession(new MoveContext(job));

export function retireSession(context: MoveContext): RetireSession {
  return {
    retire: (copy) => held(context, () => retire(context, copy)),
    close: () => context.close(),
  };
}
