import type { MoveContext } from './context.ts';

/**
 * Everything that was committed on the target until now survives a crash of it. Its sessions do not wait for the
 * disk; but once a step is recorded as done nobody looks again whether its last commits were lost.
 */
export async function makeDurable(context: MoveContext): Promise<void> {
  const { target } = context;
  // The lock that is taken on the token's row makes this a commit that is written, and that waits for all before it.
  await target.underToken(await context.targetOid(), async (tx) => {
    await tx.execute('SET LOCAL synchronous_commit = on');
  });
}
