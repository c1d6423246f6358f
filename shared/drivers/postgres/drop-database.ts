import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { RetainedCopy } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import { emptyDatabase } from './fence/empty.ts';
import { databaseOid } from './hands.ts';
import type { Hands } from './hands.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { MoveNames } from './names.ts';
import { dropSubscriptions, rename } from './release.ts';
import { forgetToken } from './token.ts';

/** Undo of provision: the target's database goes, if it is the one that this move made. */
export async function dropTarget(context: MoveContext): Promise<void> {
  const { target, names } = context;
  const entry = (await context.recorded(target)).get(`database:${names.provisional}`);
  if (entry === undefined) return;
  // Its oid may have been lost in a crash right after its creation: then it still has the name of this run.
  const oid = entry.oid ?? (await databaseOid(await target.maintenance(), names.provisional));
  if (oid !== undefined) {
    // A target that did not answer when the replication was undone has its subscriptions still, and no database
    // that has one can be dropped.
    await dropSubscriptions(context);
    await dropDatabase(target, oid, entry.systemIdentifier, names, names.comment);
  }
  await context.forget(target, [...(await context.recorded(target)).keys()]);
}

/** The retained copy goes: nothing of ours is left on the source then. */
export async function retire(context: MoveContext, copy: RetainedCopy): Promise<void> {
  const { source, names } = context;
  const known = (await context.recorded(source)).get(`database:${names.retained}`);
  if (known !== undefined && known.oid !== copy.oid) throw notOurs(source, copy.database);
  await dropDatabase(source, copy.oid, copy.systemIdentifier, names, undefined);
  await context.forget(source, [...(await context.recorded(source)).keys()]);
}

/**
 * Drops one database by its identity: server and oid, never by the name it was once known by. It is closed,
 * emptied and renamed to a name that nobody but us can hold, each step under the host token; then dropped by
 * that name while the token's row stays locked by another session, since DROP DATABASE can stand in no
 * transaction. A worker that takes over waits for that row, or ends both sessions.
 * @param comment proves it to be ours under the name that clients know; without it only our own names do
 */
export async function dropDatabase(
  hands: Hands,
  oid: number,
  systemIdentifier: string,
  { provisional, retained, condemned }: MoveNames,
  comment: string | undefined,
): Promise<void> {
  await assertServer(hands, systemIdentifier);
  const maintenance = await hands.maintenance();
  const row = await maintenance.maybeOne(
    `SELECT datname::text AS name, datconnlimit = -2 AS invalid,
            pg_catalog.shobj_description(oid, 'pg_database') AS comment
       FROM pg_catalog.pg_database WHERE oid = $1`,
    [oid],
    z.object({ name: z.string(), invalid: z.boolean(), comment: z.string().nullable() }),
  );
  if (row !== undefined) {
    const ours =
      [provisional, retained, condemned].includes(row.name) ||
      (comment !== undefined && row.comment === comment);
    if (!ours) throw notOurs(hands, row.name);
    // A drop that was broken off leaves a database that can be neither altered nor entered, only dropped.
    if (!row.invalid) await condemn(hands, oid, condemned, row.comment ?? '');
    const dropper = await hands.maintenance('emptying');
    await hands.underToken(oid, async (_, name) => {
      if (name !== condemned) throw notOurs(hands, name);
      await dropper.execute(`DROP DATABASE ${quoteIdentifier(condemned)} WITH (FORCE)`);
    });
  }
  hands.release(oid);
  await forgetToken(maintenance, oid, hands.holder.installation).catch(() => undefined);
}

/** Closes it, empties it, and gives it the name under which it is dropped. */
async function condemn(hands: Hands, oid: number, condemned: string, comment: string): Promise<void> {
  await hands.underToken(oid, async (tx, name) => {
    await tx.execute(`ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS false`);
  });
  await hands.leave(oid);
  await emptyDatabase(await hands.maintenance('emptying'), oid, { pids: [], slots: [] }, 10_000);
  await rename(hands, oid, condemned, comment);
}

/** @throws StepFailure `other-server` when the address leads elsewhere than it did */
export async function assertServer(hands: Hands, systemIdentifier: string): Promise<void> {
  const found = await hands.systemIdentifier();
  if (found === systemIdentifier) return;
  throw new StepFailure(
    {
      code: 'other-server',
      sentence: `Host "${hands.site.host}" is another server now (system identifier ${found}, was ${systemIdentifier}): nothing is dropped.`,
      cure: 'Correct the address of the host, or forget the record if the old server is gone for good.',
    },
    'fail',
  );
}

function notOurs(hands: Hands, name: string): StepFailure {
  return new StepFailure(
    {
      code: 'not-ours',
      sentence: `The database "${name}" on host "${hands.site.host}" is not the one that this move made: it is not dropped.`,
      cure: 'Look at it; if it can go, drop it by hand and forget the record.',
    },
    'fail',
  );
}
