import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { RetainedCopy } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { PostgresFailure } from './failures.ts';
import { databaseOid, findDatabaseName, durable } from './hands.ts';
import type { Hands } from './hands.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import { patiently } from './patience.ts';
import { dropSourceSchema } from './replication/identity.ts';
import { dropRole } from './replication/role.ts';
import { dropSlots } from './replication/slots.ts';
import { endSnapshot } from './replication/snapshot.ts';
import { dropSubscription } from './replication/subscription.ts';
import { emptyDatabase } from './fence/empty.ts';
import { openTargetToUs } from './fence/fence.ts';
import { forgetToken } from './token.ts';

/**
 * After the target has opened: everything of the move goes, on both hosts, and the fenced source is renamed.
 * The publication and the markers inside the source go if a session of ours is still in there; nobody gets in
 * any more, so otherwise they go with the retained copy.
 */
export async function release(context: MoveContext): Promise<RetainedCopy> {
  const { source, target, sourceOid, names } = context;
  await dropSubscriptions(context);
  await dropSourceReplication(context);
  await tidyInside(context);
  await source.leave(sourceOid);
  await renameRetained(context);
  const targetOid = await context.findTarget();
  if (targetOid !== undefined) {
    const inTarget = await target.inside(targetOid, 'tidy', { settings: durable });
    await inTarget.execute(`DROP SCHEMA IF EXISTS ${quoteIdentifier(names.schema)} CASCADE`);
    await target.rest(targetOid);
    await context.forget(target, [...(await context.recorded(target)).keys()]);
  }
  return {
    host: context.job.source.host,
    database: names.retained,
    systemIdentifier: context.plan.systemIdentifier,
    oid: sourceOid,
  };
}

/**
 * Undo of copy and catch-up. The source is cleaned also when the target does not answer: a slot that nobody
 * reads keeps the WAL of the whole server.
 * @throws StepFailure of verdict `host-down` for the target, after the source has been cleaned
 */
export async function dropReplication(context: MoveContext): Promise<void> {
  const { source } = context;
  const targetTrouble = await attempt(async () => dropSubscriptions(context));
  if ((await context.recorded(source)).size > 0) await cleanSource(context);
  if (targetTrouble !== undefined) throw asError(targetTrouble);
}

async function cleanSource(context: MoveContext): Promise<void> {
  const { source, sourceOid, names } = context;
  await dropSourceReplication(context);
  if (await isSourceGone(context)) {
    source.release(sourceOid);
    await forgetToken(await source.maintenance(), sourceOid, source.holder.installation);
  } else {
    const inside = await source.inside(sourceOid, 'work');
    await patiently(inside, `DROP PUBLICATION IF EXISTS ${quoteIdentifier(names.stream)}`);
    await dropSourceSchema(inside, names.schema);
    await source.rest(sourceOid);
  }
  await context.forget(source, [...(await context.recorded(source)).keys()]);
}

/** Somebody has dropped the source database, with all that was inside: on the same server, by its number. */
async function isSourceGone({ source, sourceOid, plan }: MoveContext): Promise<boolean> {
  if ((await source.systemIdentifier()) !== plan.systemIdentifier) return false;
  return (await findDatabaseName(await source.maintenance(), sourceOid)) === undefined;
}

async function attempt(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof StepFailure) return error;
    throw error;
  }
}

/** Of this move, on the target. Nothing happens where there are none. */
export async function dropSubscriptions(context: MoveContext): Promise<void> {
  const { target, names } = context;
  const oid = await context.findTarget();
  if (oid === undefined) return;
  await target.hold(oid);
  const maintenance = await target.maintenance();
  const present = await maintenance.maybeOne(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription WHERE subdbid = $1 AND subname = $2`,
    [oid, names.stream],
    z.object({ name: z.string() }),
  );
  if (present !== undefined) {
    await openTargetToUs(context);
    await dropSubscription(await target.inside(oid, 'tidy', { settings: durable }), names.stream);
  }
  await context.forget(target, [`subscription:${names.stream}`]);
}

/** Snapshot, slot and role. From outside the database: it may be closed. */
async function dropSourceReplication(context: MoveContext): Promise<void> {
  const { source, sourceOid, names } = context;
  const recorded = [...(await context.recorded(source)).values()];
  await source.hold(sourceOid);
  const maintenance = await source.maintenance();
  await endSnapshot(context);
  await dropSlots(maintenance, sourceOid, [names.stream]);
  await context.forget(source, [`slot:${names.stream}`]);
  const role = recorded.find(({ kind, name }) => kind === 'role' && name === names.role);
  if (role !== undefined) {
    await dropRole(maintenance, names.role);
    await context.forget(source, [role.key]);
  }
}

/** Only with a session that was inside before: nobody gets in. */
async function tidyInside(context: MoveContext): Promise<void> {
  const { source, sourceOid, names } = context;
  let inside: Session;
  try {
    inside = source.insideStill(sourceOid, 'tail');
  } catch {
    return;
  }
  await inside.execute(
    `DROP PUBLICATION IF EXISTS ${quoteIdentifier(names.stream)};
     DROP SCHEMA IF EXISTS ${quoteIdentifier(names.schema)} CASCADE`,
  );
}

/** The retained copy stands in the ledger under its new name before it gets it, and nothing else does. */
async function renameRetained(context: MoveContext): Promise<void> {
  const { source, sourceOid, names, job } = context;
  const key = `database:${names.retained}`;
  await context.record(source, [
    {
      key,
      kind: 'database',
      name: names.retained,
      systemIdentifier: context.plan.systemIdentifier,
      oid: sourceOid,
    },
  ]);
  await rename(source, sourceOid, names.retained, `retained after the move of ${job.endpoint}`);
  const others = [...(await context.recorded(source)).keys()].filter((known) => known !== key);
  await context.forget(source, others);
}

/** Renames a closed database, once nobody is inside. Waits for autovacuum, which the server sends away. */
export async function rename(hands: Hands, oid: number, name: string, comment: string): Promise<void> {
  if ((await hands.nameOf(oid)) === name) return;
  const maintenance = await hands.maintenance('emptying');
  await emptyDatabase(maintenance, oid, { pids: [], slots: [] }, 5000);
  await hands.underToken(oid, async (tx, before) => {
    await tx.execute(`ALTER DATABASE ${quoteIdentifier(before)} RENAME TO ${quoteIdentifier(name)}`);
    if ((await databaseOid(tx, name)) !== oid)
      throw new Error(`the database "${before}" changed under our hands`);
    await tx.execute(`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(comment)}`);
  });
}

function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new PostgresFailure({ code: 'unexpected', sentence: String(error), cure: '' }, 'retry');
}
