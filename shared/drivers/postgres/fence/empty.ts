import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { Session } from '../connection.ts';
import { hasSqlState } from '../failures.ts';
import { wholeNumber } from '../values.ts';

export interface Emptied {
  /** Sessions that were ended. */
  readonly ended: number;
  readonly rounds: number;
}

/** Who may stay inside: our own sessions, and the walsenders of our slots. */
export interface Staying {
  readonly pids: readonly number[];
  readonly slots: readonly string[];
}

/**
 * Returns when nobody but us is left in a database that has just been closed, and nobody can come in.
 *
 * A backend that is still starting is in no list of sessions; but it holds a lock on the database object
 * until it is. So: first nobody starts any more (they started before the database was closed, or are
 * refused), then nobody is in the list. Autovacuum, which has no user, may stay: it changes no rows.
 * @throws StepFailure `sessions-remain` with who they are, `cannot-end-session`
 */
export async function emptyDatabase(
  maintenance: Session,
  database: number,
  staying: Staying,
  patienceMs: number,
): Promise<Emptied> {
  const until = performance.now() + patienceMs;
  let nobodyStarts = false;
  let ended = 0;
  for (let rounds = 1; ; rounds += 1) {
    // The order of the two matters: who stops starting before the first is in the second.
    if (!nobodyStarts) nobodyStarts = (await countStarting(maintenance, database)) === 0;
    const sessions = await endSessions(maintenance, database, staying);
    ended += sessions.length;
    if (nobodyStarts && sessions.length === 0) return { ended, rounds };
    if (performance.now() > until) throw sessionsRemain(maintenance, sessions);
    await delay(1);
  }
}

async function countStarting(maintenance: Session, database: number): Promise<number> {
  const { starting } = await maintenance.one(
    `SELECT count(*) AS starting FROM pg_catalog.pg_locks
      WHERE locktype = 'object' AND database = 0 AND classid = 'pg_catalog.pg_database'::regclass
        AND objid = $1 AND pid <> pg_catalog.pg_backend_pid()`,
    [database],
    z.object({ starting: wholeNumber }),
  );
  return starting;
}

const insider = z.object({ pid: z.int(), who: z.string().nullable(), type: z.string().nullable() });

async function endSessions(
  maintenance: Session,
  database: number,
  staying: Staying,
): Promise<z.infer<typeof insider>[]> {
  try {
    return await maintenance.query(
      `SELECT pid, usename::text AS who, backend_type AS type, pg_catalog.pg_terminate_backend(pid) AS told
         FROM pg_catalog.pg_stat_activity
        WHERE datid = $1 AND pid <> ALL ($2::int[]) AND usesysid IS NOT NULL
          AND pid NOT IN (SELECT active_pid FROM pg_catalog.pg_replication_slots
                           WHERE slot_name = ANY ($3::name[]) AND active_pid IS NOT NULL)`,
      [database, staying.pids, staying.slots],
      insider,
    );
  } catch (error) {
    if (!hasSqlState(error, '42501')) throw error;
    throw new StepFailure(
      {
        code: 'cannot-end-session',
        sentence: `The mover may not end a session inside the database at ${maintenance.server}.`,
        cure: 'Grant pg_signal_backend to the mover, and let no superuser work in the database during a move.',
      },
      'retry',
      { cause: error },
    );
  }
}

function sessionsRemain(maintenance: Session, sessions: readonly z.infer<typeof insider>[]): StepFailure {
  const who = sessions.map(
    ({ pid, who: user, type }) => `${type ?? 'session'} ${String(pid)} of ${user ?? '?'}`,
  );
  return new StepFailure(
    {
      code: 'sessions-remain',
      sentence: `The database at ${maintenance.server} could not be emptied in time: ${who.join(', ') || 'a session keeps starting'}.`,
      cure: 'The source was not frozen. It is tried again; if it stays, end these sessions.',
    },
    'retry',
  );
}
