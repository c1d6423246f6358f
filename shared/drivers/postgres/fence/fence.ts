import * as z from 'zod';
import { SessionLost, StepFailure } from '../../../domain/failure.ts';
import type { HostName } from '../../../domain/ids.ts';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import type { Hands } from '../hands.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { letOthersIn } from '../door.ts';
import { markClosed } from '../token.ts';
import { wholeNumber } from '../values.ts';
import { emptyDatabase } from './empty.ts';

/** Milliseconds that a source may be closed without being empty. */
const emptyingPatienceMs = 2000;

/** The sessions that must be open before the source is closed: nobody gets in afterwards, we neither. */
export async function enterBoth(context: MoveContext): Promise<void> {
  const { source, target, sourceOid, plan } = context;
  const intoSource = async (): Promise<void> => {
    await Promise.all([source.inside(sourceOid, 'tail'), source.inside(sourceOid, 'check')]);
    await source.maintenance('emptying');
  };
  if (plan.mode === 'offline') {
    await intoSource();
    return;
  }
  const targetOid = await openTargetToUs(context);
  await Promise.all([intoSource(), target.inside(targetOid, 'apply')]);
  await target.inside(targetOid, 'aside');
  // Asked now, so that it is not asked in the freeze.
  await Promise.all([context.readsPlaces(), context.inventory(), context.doubts()]);
}

/** A worker that died between freeze and thaw has left the target closed to us as well. */
export async function openTargetToUs(context: MoveContext): Promise<number> {
  const oid = await context.targetOid();
  if (!(await isOpen(await context.target.maintenance(), oid)))
    await allowConnections(context.target, oid, true);
  return oid;
}

/**
 * Closes the source and returns when nobody but us is inside.
 * @throws SessionLost when it is closed already and our sessions into it are gone
 */
export async function fence(
  context: MoveContext,
): Promise<{ closedMs: number; emptiedMs: number; ended: number }> {
  const { source, target, sourceOid } = context;
  if (!(await isOpen(await source.maintenance(), sourceOid))) {
    source.insideStill(sourceOid, 'tail');
    source.insideStill(sourceOid, 'check');
  }
  await enterBoth(context);
  if (context.plan.mode === 'online') await assertStreaming(context);
  else await recordSourceSettings(context);
  await assertNothingInside(context);
  // Also a superuser who comes too early stays out of the target; its workers are inside already.
  if (context.plan.mode === 'online') await allowConnections(target, await context.targetOid(), false);

  const start = performance.now();
  await allowConnections(source, sourceOid, false);
  const closedMs = performance.now() - start;
  const { ended } = await emptyDatabase(
    await source.maintenance('emptying'),
    sourceOid,
    { pids: source.pids(), slots: context.plan.mode === 'online' ? [context.names.stream] : [] },
    emptyingPatienceMs,
  );
  await assertNothingInside(context);
  source.insideStill(sourceOid, 'tail');
  source.insideStill(sourceOid, 'check');
  return { closedMs, emptiedMs: performance.now() - start, ended };
}

/**
 * Opens the source again as it was. From outside: it works for a worker that has no session inside. A source
 * that was closed for good opens only for the worker that did it, or for one that has taken over since: the
 * arbiter has sent it; a late request of the same token was overtaken by the closing.
 */
export async function unfence(context: MoveContext): Promise<void> {
  const { source, sourceOid, plan } = context;
  const { attributes } = plan;
  await source.underToken(sourceOid, async (tx, name, closedBy) => {
    if (closedBy !== undefined && closedBy >= context.job.token && !context.closedForGood) {
      throw new StepFailure(
        {
          code: 'source-closed-for-good',
          sentence: `The source database "${name}" on host "${context.job.source.host}" was closed for good.`,
          cure: 'The data is on the target. To go back, reverse the move.',
          host: context.job.source.host,
        },
        'fail',
      );
    }
    await markClosed(tx, sourceOid, source.holder, false);
    if (plan.mode === 'offline') await letOthersIn(tx, name, context);
    await alterConnections(tx, name, attributes.allowConnections, attributes.connectionLimit);
  });
  context.closedForGood = false;
}

/**
 * The source stays closed, also for whoever would thaw it late. The target gives a sign of life first: a
 * cutover onto a host that has died can still be taken back.
 * @throws StepFailure that names its host
 */
export async function fenceForGood(context: MoveContext): Promise<void> {
  const { source, target, sourceOid, job } = context;
  const targetOid = await context.targetOid();
  await about(job.target.host, async () => target.assertHolds(targetOid));
  await about(job.source.host, async () =>
    source.underToken(sourceOid, async (tx, name) => {
      await markClosed(tx, sourceOid, source.holder, true);
      await alterConnections(tx, name, false, 0);
    }),
  );
  context.closedForGood = true;
}

async function about(host: HostName, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StepFailure) || error.failure.host !== undefined) throw error;
    throw new StepFailure({ ...error.failure, host }, error.verdict, { cause: error });
  }
}

/** Before the first change of them; an online move has done it before it copied. */
export async function recordSourceSettings(context: MoveContext): Promise<void> {
  const { source, sourceOid, plan } = context;
  const { allowConnections: allow, connectionLimit } = plan.attributes;
  await context.record(source, [
    {
      key: 'source-settings',
      kind: 'database-settings',
      name: context.job.database,
      systemIdentifier: plan.systemIdentifier,
      oid: sourceOid,
      restore: { allowConnections: allow, connectionLimit },
    },
  ]);
}

async function allowConnections(hands: Hands, oid: number, allowed: boolean): Promise<void> {
  await hands.underToken(oid, async (tx, name, closedBy) => {
    if (allowed && closedBy !== undefined) throw new SessionLost(`the database "${name}" is closed for good`);
    await tx.execute(`ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS ${String(allowed)}`);
  });
}

async function alterConnections(tx: Session, name: string, allowed: boolean, limit: number): Promise<void> {
  await tx.execute(
    `ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS ${String(allowed)} CONNECTION LIMIT ${String(limit)}`,
  );
}

async function isOpen(maintenance: Session, oid: number): Promise<boolean> {
  const row = await maintenance.maybeOne(
    'SELECT datallowconn AS open FROM pg_catalog.pg_database WHERE oid = $1',
    [oid],
    z.object({ open: z.boolean() }),
  );
  return row?.open ?? false;
}

/** What could still change rows behind a closed door. */
async function assertNothingInside(context: MoveContext): Promise<void> {
  const { source, sourceOid } = context;
  const found = await (
    await source.maintenance('emptying')
  ).one(
    `SELECT (SELECT count(*) FROM pg_catalog.pg_prepared_xacts p
               JOIN pg_catalog.pg_database d ON d.datname = p.database WHERE d.oid = $1) AS prepared,
            (SELECT count(*) FROM pg_catalog.pg_subscription WHERE subdbid = $1 AND subenabled) AS subscriptions`,
    [sourceOid],
    z.object({ prepared: wholeNumber, subscriptions: wholeNumber }),
  );
  const what =
    found.prepared > 0
      ? { code: 'prepared-transaction', noun: 'a prepared transaction', cure: 'Commit or roll it back' }
      : found.subscriptions > 0
        ? { code: 'subscription-inside', noun: 'an enabled subscription', cure: 'Disable it' }
        : undefined;
  if (what === undefined) return;
  throw new StepFailure(
    {
      code: what.code,
      sentence: `The source database on host "${context.job.source.host}" holds ${what.noun}.`,
      cure: `${what.cure}; the freeze is tried again.`,
    },
    'retry',
  );
}

/** The stream has its sender: one that has to come back would be refused. */
async function assertStreaming(context: MoveContext): Promise<void> {
  const { source, sourceOid, names } = context;
  const tail = await source.inside(sourceOid, 'tail');
  const { senders } = await tail.one(
    `SELECT count(*)::int AS senders FROM pg_catalog.pg_replication_slots s
       JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid
      WHERE s.slot_name = $1 AND coalesce(r.state, 'streaming') = 'streaming'`,
    [names.stream],
    z.object({ senders: z.int() }),
  );
  if (senders > 0) return;
  throw new StepFailure(
    {
      code: 'not-streaming',
      sentence: `The stream "${names.stream}" has no sender on host "${context.job.source.host}" just now.`,
      cure: 'The source was not frozen. It is tried again when the stream runs.',
    },
    'retry',
  );
}
