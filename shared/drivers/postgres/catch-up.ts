import * as z from 'zod';
import type { StepEnd } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { hasSqlState } from './failures.ts';
import { quoteQualified } from './identifiers.ts';
import { copyLargeObjects } from './large-objects.ts';
import { awaitBeat, writeBeat } from './replication/pulse.ts';
import { assertSlots, readSlots } from './replication/sync-state.ts';
import { assertSchemaUnchanged } from './schema-watch.ts';
import { applyStatements, countPending } from './schema/ledger.ts';
import type { Section } from './schema/statements.ts';

/** What is built once the rows are there, in this order; `last` waits until nothing is applied any more. */
const late = [
  'keys',
  'indexes',
  'constraints',
  'triggers',
  'privileges',
] as const satisfies readonly Section[];
/** Statements of these commit one by one: each may take long. */
const slow: ReadonlySet<Section> = new Set(['keys', 'indexes', 'constraints']);
/** Two at a time, each with two workers of its own: more gained nothing. */
const builders = 2;

const statisticsTable = 'catch_up';

/**
 * Indexes, constraints and triggers, statistics, materialized views: all that would take too long in the
 * freeze. Then the changes that came meanwhile. Each statement and each view is marked when it is done.
 */
export async function completeSchema(context: MoveContext): Promise<StepEnd | undefined> {
  const { target, names } = context;
  const oid = await context.targetOid();
  const inside = await target.inside(oid, 'work');
  const place = { schema: names.schema };
  for (const section of late) {
    const pending = (await countPending(inside, place))[section];
    if (pending === 0) continue;
    if (section === 'keys' || section === 'indexes') await buildInParallel(context, section);
    // What belongs to no table alone, and all other sections, in the order of the dump.
    const { remaining } = await untilNoDeadlock(async () =>
      applyStatements(inside, place, {
        section,
        perTransaction: slow.has(section) ? 1 : 300,
        goOn: () => context.job.remainingMs() > 2000,
      }),
    );
    if (remaining > 0) return stopped(`${String(remaining)} ${section}`);
  }
  return await finishContents(context, inside);
}

const stopped = (left: string): StepEnd => ({ kind: 'continue', progress: { left } });

/** Tables side by side; partitioned ones first, since their partitions' indexes are attached to theirs. */
async function buildInParallel(context: MoveContext, section: 'keys' | 'indexes'): Promise<void> {
  const { target, names } = context;
  const oid = await context.targetOid();
  const inside = await target.inside(oid, 'work');
  const tables = await inside.query(
    `SELECT DISTINCT l.on_schema AS schema, l.on_table AS name, c.relkind = 'p' AS partitioned,
            pg_catalog.pg_relation_size(c.oid) AS bytes
       FROM ${quoteQualified(names.schema, 'schema_statements')} l
       JOIN pg_catalog.pg_namespace n ON n.nspname = l.on_schema
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = l.on_table
      WHERE l.section = $1 AND l.done IS NULL ORDER BY partitioned DESC, bytes DESC`,
    [section],
    z.object({ schema: z.string(), name: z.string(), partitioned: z.boolean() }),
  );
  const parents = tables.filter(({ partitioned }) => partitioned);
  if (parents.length > 0) {
    await applyStatements(inside, { schema: names.schema }, { section, only: parents, perTransaction: 20 });
  }
  const queue = tables.filter(({ partitioned }) => !partitioned);
  const build = async (builder: number): Promise<void> => {
    const session = await target.inside(oid, `builder ${String(builder)}`);
    await session.set({ max_parallel_maintenance_workers: '2', lock_timeout: '0' });
    for (let table = queue.shift(); table !== undefined; table = queue.shift()) {
      if (context.job.remainingMs() < 2000) return;
      const only = [table];
      await untilNoDeadlock(async () =>
        applyStatements(session, { schema: names.schema }, { section, only, perTransaction: 1 }),
      );
    }
  };
  const count = Math.min(builders, queue.length);
  const outcomes = await Promise.allSettled(Array.from({ length: count }, async (_, index) => build(index)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** The workers of the subscription lock the same tables in another order: the server ends one of the two. */
async function untilNoDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasSqlState(error, '40P01', '55P03') || attempt === 10) throw error;
    }
  }
}

/** Statistics and materialized views. What is done is marked beside the statements of the schema. */
async function finishContents(context: MoveContext, inside: Session): Promise<StepEnd | undefined> {
  const { names } = context;
  const marks = quoteQualified(names.schema, statisticsTable);
  await inside.execute(`CREATE TABLE IF NOT EXISTS ${marks} (what text PRIMARY KEY)`);
  const rows = await inside.query(`SELECT what FROM ${marks}`, [], z.object({ what: z.string() }));
  const done = new Set(rows.map(({ what }) => what));
  const finish = async (what: string, sql: string): Promise<void> => {
    if (done.has(what)) return;
    await inside.execute(sql);
    await inside.execute(`INSERT INTO ${marks} VALUES ($1) ON CONFLICT DO NOTHING`, [what]);
  };
  await finish('analyze', 'ANALYZE');
  const { materializedViews } = await context.inventory();
  for (const view of materializedViews.filter(({ populated }) => populated)) {
    if (context.job.remainingMs() < 2000) return stopped('materialized views');
    const name = quoteQualified(view.schema, view.name);
    await finish(`refresh ${name}`, `REFRESH MATERIALIZED VIEW ${name}`);
    await finish(`analyze ${name}`, `ANALYZE ${name}`);
  }
  // Once before the freeze: in it only what has changed since, mostly nothing.
  const { largeObjects } = await context.inventory();
  if (context.plan.mode === 'online' && largeObjects.count > 0 && !done.has('large objects')) {
    await copyLargeObjects(await context.source.inside(context.sourceOid, 'work'), inside);
    await finish('large objects', 'SELECT');
  }
  return undefined;
}

/** Milliseconds in which a marker that overtakes nobody must arrive for the lag to count as none. */
const promptMs = 300;

/**
 * Done when little is left to apply. The position that a target reports lies behind by what it has not
 * flushed, and by what other databases write: so where it looks too far away a marker has the last word.
 */
export async function awaitLag(context: MoveContext, calls: number): Promise<StepEnd> {
  const { source, target, sourceOid, names, streamNames, job } = context;
  await assertSchemaUnchanged(context, await source.inside(sourceOid, 'work'));
  const slots = await readSlots(await source.maintenance(), streamNames);
  assertSlots(slots, streamNames, job.source.host);
  const lagBytes = Math.max(...slots.map((slot) => slot.lagBytes));
  const started = performance.now();
  const beat = await writeBeat(await source.inside(sourceOid, 'work'), names.schema, streamNames.length);
  const onTarget = await target.inside(await context.targetOid(), 'work');
  const patience = lagBytes <= job.policy.lagLimitBytes ? 3000 : promptMs;
  const arrived = await awaitBeat(onTarget, names.schema, streamNames.length, beat, patience);
  const lagMs = Math.round(performance.now() - started);
  if (arrived) return { kind: 'done', result: { lagBytes, lagMs } };
  return {
    kind: 'wait',
    code: 'catching-up',
    on: `${(lagBytes / 1e6).toFixed(1)} MB of changes are left to apply`,
    afterMs: Math.min(200 * calls, 5000),
    progress: { lagBytes },
  };
}
