import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import { connect } from '../connection.ts';
import type { Session } from '../connection.ts';
import type { MoveContext } from '../context.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { applicationName } from '../names.ts';
import { dropSlots } from './slots.ts';

/** A slot waits for every transaction that runs on the whole server: no longer than this. */
const slotPatienceMs = 15_000;
/** A copy may take days; the session that keeps its snapshot ends with it, with its undo, or after this. */
const keepSeconds = 7 * 86_400;

/**
 * Makes the slot, and keeps a snapshot of the very state at which its stream begins: everything before it is
 * read from the snapshot, everything after it comes from the stream.
 *
 * PostgreSQL keeps the snapshot of a new slot only as long as the connection that made it does nothing else.
 * So a session of its own adopts it and falls asleep in the middle of its transaction. The server does not
 * notice that nobody waits for the answer: the snapshot outlives us, and every later worker finds it.
 * @returns the name by which other sessions adopt the snapshot
 * @throws StepFailure `long-transaction`
 */
export async function beginSnapshot(context: MoveContext): Promise<string> {
  const { source, sourceOid, names, job } = context;
  await endSnapshot(context);
  await dropSlots(await source.maintenance(), sourceOid, [names.stream]);
  const database = await source.nameOf(sourceOid);
  const maker = await connect(source.address, {
    database,
    applicationName: applicationName(job, job.token),
    lockTimeoutMs: 0,
    replication: true,
    signal: job.signal,
  });
  try {
    // Opened by hand: a worker that was taken over meanwhile must learn it here.
    await source.assertHolds(sourceOid);
    return await keep(context, database, await makeSlot(context, maker));
  } finally {
    await maker.close();
  }
}

async function makeSlot(context: MoveContext, maker: Session): Promise<string> {
  const { source, names } = context;
  const made = maker.one(
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(names.stream)} LOGICAL pgoutput (SNAPSHOT 'export')`,
    [],
    z.object({ snapshot_name: z.string() }),
  );
  made.catch(() => undefined);
  const late = new AbortController();
  const first = await Promise.race([
    made,
    delay(slotPatienceMs, undefined, { signal: late.signal }).catch(() => undefined),
  ]).finally(() => {
    late.abort();
  });
  if (first !== undefined) return first.snapshot_name;
  // It would wait on, and keep the log from now, also when we are gone.
  const maintenance = await source.maintenance();
  const found = await findOldest(maintenance);
  await maintenance.execute('SELECT pg_catalog.pg_terminate_backend($1)', [maker.pid]);
  throw new StepFailure(
    {
      code: 'long-transaction',
      sentence: `${found === undefined ? 'A transaction' : `A transaction of "${found.who}" in "${found.database}"`} on host "${context.job.source.host}" ${found === undefined ? '' : `(process ${String(found.pid)}) has been open for ${String(found.seconds)} s: `}no replication slot can be made before it ends.`,
      cure: 'Wait for it, or end it; the step is tried again.',
    },
    'retry',
  );
}

async function findOldest(
  maintenance: Session,
): Promise<{ pid: number; database: string; who: string; seconds: number } | undefined> {
  const [oldest] = await maintenance.query(
    `SELECT pid, coalesce(datname::text, '') AS database, coalesce(usename::text, '') AS who,
            extract(epoch FROM now() - xact_start)::int AS seconds
       FROM pg_catalog.pg_stat_activity
      WHERE backend_xid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
      ORDER BY xact_start LIMIT 1`,
    [],
    z.object({ pid: z.int(), database: z.string(), who: z.string(), seconds: z.int() }),
  );
  return oldest;
}

async function keep(context: MoveContext, database: string, snapshot: string): Promise<string> {
  const { source, job } = context;
  const keeper = await connect(source.address, {
    database,
    applicationName: applicationName(job, 'snapshot'),
    lockTimeoutMs: 0,
    signal: job.signal,
  });
  const settings = { client_connection_check_interval: '0' };
  // From 17 on a server may bound the time of a transaction.
  await keeper.set(keeper.major >= 17 ? { ...settings, transaction_timeout: '0' } : settings);
  try {
    await keeper.execute(
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`,
    );
    const { name } = await keeper.one(
      'SELECT pg_catalog.pg_export_snapshot() AS name',
      [],
      z.object({ name: z.string() }),
    );
    keeper.execute(`SELECT pg_catalog.pg_sleep(${String(keepSeconds)})`).catch(() => undefined);
    const maintenance = await source.maintenance();
    while (!(await isAsleep(maintenance, keeper.pid))) await delay(2);
    return name;
  } finally {
    // The server sleeps on.
    keeper.destroy();
    await keeper.close();
  }
}

async function isAsleep(maintenance: Session, pid: number): Promise<boolean> {
  const row = await maintenance.maybeOne(
    `SELECT pid FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
    [pid],
    z.object({ pid: z.int() }),
  );
  return row !== undefined;
}

const keepers = `FROM pg_catalog.pg_stat_activity WHERE datid = $1 AND application_name = $2`;

/** Is the snapshot of this move still kept? */
export async function isSnapshotKept({ source, sourceOid, job }: MoveContext): Promise<boolean> {
  const { count } = await (
    await source.maintenance()
  ).one(
    `SELECT count(*)::int AS count ${keepers}`,
    [sourceOid, applicationName(job, 'snapshot')],
    z.object({ count: z.int() }),
  );
  return count > 0;
}

/** The copy is over, or starts over: the source may clear up what only the snapshot still sees. */
export async function endSnapshot({ source, sourceOid, job }: MoveContext): Promise<void> {
  await endKeepers(await source.maintenance(), sourceOid, applicationName(job, 'snapshot'));
}

/** Ends the sessions that keep a snapshot under this name, and waits until they are gone. */
export async function endKeepers(session: Session, database: number, name: string): Promise<void> {
  for (;;) {
    const told = await session.query(
      `SELECT pg_catalog.pg_terminate_backend(pid) AS told ${keepers}`,
      [database, name],
      z.object({ told: z.boolean() }),
    );
    if (told.length === 0) return;
    await delay(5);
  }
}
