import type { MoveJob, MoveSession } from '../../../ports/driver.ts';
import { MoveContext } from '../context.ts';
import { cutoverSession } from './cutover.ts';
import { retireSession } from './retire.ts';
import { rollbackSession } from './rollback.ts';
import { transferSession } from './transfer.ts';

/** One worker's hands on the two servers of one move, in all its phases: over the same connections. */
export function begin(job: MoveJob): MoveSession {
  const context = new MoveContext(job);
  return {
    ...transferSession(context),
    ...retireSession(context),
    ...rollbackSession(context),
    // Last, since its thaw also forgets what it has settled.
    ...cutoverSession(context),
  };
}
