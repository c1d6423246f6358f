import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { conninfo, serverName } from '../connection.ts';
import type { PostgresAddress, Session } from '../connection.ts';
import { PostgresFailure } from '../failures.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { maybeText, text, wholeNumber } from '../values.ts';
import type { Findings } from './report.ts';
import type { Server } from './server.ts';

/** What a move takes of each: a slot and its sender on the source, an origin and a worker on the target. */
const least = 1;

/** A move that does not fit would retry for ever: what has to be raised before it can run. */
export function checkCapacity(source: Server, target: Server, findings: Findings): void {
  checkRoom(source, 'out', findings);
  checkRoom(target, 'in', findings);
}

/** The same for the moves out of a server, or into it. */
export function checkRoom(server: Server, side: 'out' | 'in', findings: Findings): void {
  const lacks = (free: number, setting: string, limit: number): void => {
    if (free >= least) return;
    findings.blocker(
      'capacity',
      `${server.name} has ${String(Math.max(free, 0))} of ${String(limit)} ${setting} left; a move needs ${String(least)}.`,
      `Raise ${setting} and restart the server, or wait until other moves are done.`,
      server.name,
    );
  };
  if (side === 'out') {
    lacks(server.freeSlots, 'max_replication_slots', server.slots);
    lacks(server.freeSenders, 'max_wal_senders', server.senders);
    return;
  }
  const originSetting = server.major >= 18 ? 'max_active_replication_origins' : 'max_replication_slots';
  lacks(server.freeOrigins, originSetting, server.origins);
  lacks(server.freeWorkers, 'max_logical_replication_workers', server.workers);
  if (server.workerProcesses < server.workers + 1) {
    findings.warning(
      'worker-processes',
      `${server.name} has max_worker_processes = ${String(server.workerProcesses)}, too few for its ${String(server.workers)} logical replication workers.`,
      'Raise max_worker_processes above max_logical_replication_workers and restart the server.',
      server.name,
    );
  }
}

/** `mode` is offline where the source does not write logical WAL. */
export function checkWal(
  source: Server,
  offline: 'refuse' | 'allow',
  findings: Findings,
): 'online' | 'offline' {
  if (source.walLevel === 'logical') {
    if (source.walKeepSize === '-1') {
      findings.warning(
        'wal-keep-unlimited',
        `${source.name} keeps WAL without limit for a slot that nobody reads (max_slot_wal_keep_size = -1).`,
        'Set max_slot_wal_keep_size to what the disk can spare, e.g. 50GB.',
        source.name,
      );
    }
    return 'online';
  }
  const sentence = `${source.name} has wal_level = ${source.walLevel}: it cannot replicate logically, so the database is closed while it is copied.`;
  const cure = `Set wal_level = logical and restart the server to move while it is in use${offline === 'refuse' ? ', or allow offline moves in the policy' : ''}.`;
  if (offline === 'refuse') findings.blocker('wal-level', sentence, cure, source.name);
  else findings.warning('wal-level', sentence, cure, source.name);
  return 'offline';
}

/** Slots, subscriptions and prepared transactions of others that a move would break or wait for. */
export async function checkOthers(
  maintenance: Session,
  database: string,
  ownPrefix: string,
  findings: Findings,
): Promise<void> {
  const named = z.object({ name: text });
  const slots = await maintenance.query(
    `SELECT slot_name::text AS name FROM pg_replication_slots WHERE database = $1 AND NOT starts_with(slot_name, $2)`,
    [database, ownPrefix],
    named,
  );
  for (const { name } of slots) {
    findings.blocker(
      'slot-exists',
      `The database has a replication slot "${name}" of somebody else: its reader would be left behind.`,
      'Stop the reader, drop the slot, and set it up again on the target after the move.',
      name,
    );
  }
  const subscriptions = await maintenance.query(
    `SELECT s.subname::text AS name FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
      WHERE d.datname = $1 AND NOT starts_with(s.subname::text, $2)`,
    [database, ownPrefix],
    named,
  );
  for (const { name } of subscriptions) {
    findings.blocker(
      'subscription-exists',
      `The database receives changes by the subscription "${name}", which a move does not carry over.`,
      'Drop the subscription, and create it again on the target after the move.',
      name,
    );
  }
  const prepared = await maintenance.query(
    `SELECT gid AS name, database = $1 AS here, extract(epoch FROM now() - prepared)::bigint AS seconds FROM pg_prepared_xacts`,
    [database],
    z.object({ name: text, here: z.boolean(), seconds: wholeNumber }),
  );
  for (const { name, here, seconds } of prepared.filter((one) => one.here || one.seconds > 60)) {
    findings.blocker(
      'prepared-transaction',
      `The prepared transaction "${name}" has been open for ${String(seconds)} s ${here ? 'in this database' : 'on this server'}: ${here ? 'it cannot be moved' : 'a replication slot cannot be created before it ends'}.`,
      'COMMIT PREPARED or ROLLBACK PREPARED it.',
      name,
    );
  }
}

/** A slot is created only once every transaction that writes has ended, on the whole server. */
export async function checkLongTransactions(maintenance: Session, findings: Findings): Promise<void> {
  const rows = await maintenance.query(
    `SELECT pid, datname::text AS database, usename::text AS "user", application_name AS application,
            extract(epoch FROM now() - xact_start)::bigint AS seconds
       FROM pg_stat_activity
      WHERE backend_xid IS NOT NULL AND xact_start < now() - interval '10 seconds' AND pid <> pg_backend_pid()
      ORDER BY xact_start LIMIT 5`,
    [],
    z.object({
      pid: z.int(),
      database: maybeText,
      user: maybeText,
      application: maybeText,
      seconds: wholeNumber,
    }),
  );
  for (const { pid, database, user, application, seconds } of rows) {
    findings.warning(
      'long-transaction',
      `Process ${String(pid)} (user "${user ?? '?'}", database "${database ?? '?'}", application "${application ?? ''}") has had a writing transaction open for ${String(seconds)} s: the slot of the move waits for its end.`,
      `Let it end, or SELECT pg_terminate_backend(${String(pid)});`,
      String(pid),
    );
  }
}

/**
 * Does the target reach the source? Proved from there and without a secret: the target tries to subscribe
 * with a name and a password that do not exist, inside a transaction that is rolled back. Any answer of the
 * source, a refused login above all, shows the way is open; nothing but two lines in the logs remains.
 */
export async function checkReachability(
  target: Session,
  source: PostgresAddress,
  probe: { readonly database: string; readonly user: string; readonly superuser: boolean },
  findings: Findings,
): Promise<void> {
  const address = { ...source, user: probe.user, password: randomBytes(12).toString('base64url') };
  const info = conninfo(address, {
    database: probe.database,
    applicationName: 'drayage/probe',
    connectTimeoutSeconds: 5,
  });
  const name = quoteIdentifier(`dray_probe_${randomBytes(6).toString('hex')}`);
  const said = await target
    .transaction(async (session) => {
      await session.execute(
        `CREATE SUBSCRIPTION ${name} CONNECTION ${quoteLiteral(info)} PUBLICATION ${name}
           WITH (create_slot = false, enabled = false, slot_name = NONE, connect = true)`,
      );
      throw new Rollback('reached');
    })
    .catch((error: unknown) => error);
  if (said instanceof Rollback) return;
  if (!(said instanceof PostgresFailure)) throw said;
  const { sentence } = said.failure;
  const where = serverName(source);
  if (said.sqlState === '42501') {
    findings.warning(
      'replication-path-unproved',
      `Whether ${target.server} reaches ${where} could not be tried: ${sentence}`,
      `Check by hand that the target server can connect to ${where}.`,
    );
    return;
  }
  if (/no pg_hba\.conf entry|pg_hba\.conf rejects/.test(sentence)) {
    findings.blocker(
      'replication-refused',
      `${where} does not let the target ${target.server} in: ${sentence}`,
      'Add a line to pg_hba.conf of the source for the roles of moves (host all all <target> scram-sha-256) and reload it.',
      where,
    );
    return;
  }
  if (reached.test(sentence)) return;
  if (!unreachable.test(sentence)) {
    // Servers speak the language of their lc_messages.
    findings.warning(
      'replication-path-unproved',
      `Whether ${target.server} reaches ${where} could not be told from its answer: ${sentence}`,
      `Check by hand that the target server can connect to ${where}.`,
    );
    return;
  }
  findings.blocker(
    'source-unreachable-from-target',
    `The target ${target.server} cannot reach the source at ${where}: ${sentence}`,
    'Open the way from the target to the source, or give the address by which other hosts reach the source.',
    where,
  );
}

/** The words of a server that was reached: a login that failed, as it must. */
const reached =
  /FATAL: {2}(.*authentication failed|role .* does not exist|database .* does not exist|.*is not permitted to log in|sorry, too many|remaining connection slots)/;
const unreachable =
  /refused|timeout|timed out|translate host name|no route|unreachable|closed the connection|reset by peer|SSL|certificate/i;

class Rollback extends Error {}
