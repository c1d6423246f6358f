import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { Session } from './connection.ts';
import { hasSqlState } from './failures.ts';
import { quoteIdentifier } from './identifiers.ts';
import { tokenOf, tokenSchema } from './names.ts';
import { bigNumber, wholeNumber } from './values.ts';

/**
 * The host token: the host's own say in who may freeze, thaw, open, fence and drop a database.
 *
 * The placement row decides that in the table; but a worker that was stopped with SQL in its hand asks no
 * table when it continues. So each database has a row on its own server, in the maintenance database, and
 * each such effect locks and compares it in the transaction that makes the effect.
 */
export interface TokenHolder {
  readonly installation: string;
  readonly move: string;
  readonly token: number;
  readonly epoch: number;
}

const fenceTable = (installation: string): string => `${quoteIdentifier(tokenSchema(installation))}.fence`;

/**
 * Makes the table of host tokens where it is missing. It belongs to the installation and stays.
 * @throws StepFailure `token-table` when the mover may not create it
 */
export async function ensureTokenTable(maintenance: Session, installation: string): Promise<void> {
  const table = fenceTable(installation);
  for (let attempt = 1; ; attempt += 1) {
    if (await hasTokenTable(maintenance, installation)) return;
    try {
      await maintenance.transaction(async (tx) => {
        await tx.execute(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(tokenSchema(installation))}`);
        await tx.execute(`CREATE TABLE IF NOT EXISTS ${table} (
          database oid PRIMARY KEY,
          token bigint NOT NULL,
          holder text NOT NULL,
          epoch bigint NOT NULL,
          closed_by bigint
        )`);
      });
      return;
    } catch (error) {
      if (hasSqlState(error, '42501')) {
        throw new StepFailure(
          {
            code: 'token-table',
            sentence: `The mover may not create the schema of host tokens in the database "${maintenance.database}" at ${maintenance.server}.`,
            cure: `Run there, as a superuser: GRANT CREATE ON DATABASE ${quoteIdentifier(maintenance.database)} TO the mover.`,
          },
          'fail',
          { cause: error },
        );
      }
      // IF NOT EXISTS is no lock: two movers that start together collide in the catalog.
      if (attempt === 10) throw error;
      await delay(20 * attempt);
    }
  }
}

/**
 * Milliseconds that a takeover waits for the row. Who holds it is a former worker in the middle of an effect: if
 * that was stopped, or cut off, it holds it for as long as we wait, and writers wait with us.
 */
const rowPatienceMs = 200;

/**
 * Raises the token of a database to ours, then ends every session of a former holder. When it resolves no
 * statement of a lower token runs on this server for this database, and none can start: a session is used
 * only after `checkToken`, which follows its opening.
 * @throws TokenSuperseded when the row holds a higher token
 */
export async function takeToken(maintenance: Session, database: number, holder: TokenHolder): Promise<void> {
  const raise = `INSERT INTO ${fenceTable(holder.installation)} AS held (database, token, holder, epoch)
    SELECT $1::oid, $2::bigint, $3::text, $4::bigint
      FROM (SELECT pg_catalog.set_config('lock_timeout', '${String(rowPatienceMs)}ms', true) AS waits) AS patience
      WHERE patience.waits IS NOT NULL
    ON CONFLICT (database) DO UPDATE
      SET token = excluded.token, holder = excluded.holder, epoch = excluded.epoch
      WHERE held.token <= excluded.token
    RETURNING token`;
  const params = [database, holder.token, holder.move, holder.epoch];
  for (let attempt = 1; ; attempt += 1) {
    try {
      const raised = await maintenance.query(raise, params, z.object({ token: bigNumber }));
      if (raised.length === 0) throw superseded(maintenance, database, holder);
      break;
    } catch (error) {
      // A stopped worker may hold the row in an open transaction: end its session and try again.
      if (!hasSqlState(error, '55P03') || attempt === 10) throw error;
      await endFormerHolders(maintenance, database, holder);
    }
  }
  await endFormerHolders(maintenance, database, holder);
}

/** @throws TokenSuperseded unless the row holds exactly our token */
export async function checkToken(
  maintenance: Session,
  databases: readonly number[],
  holder: TokenHolder,
): Promise<void> {
  const rows = await maintenance.query(
    `SELECT database::bigint AS database FROM ${fenceTable(holder.installation)}
      WHERE database = ANY ($1::oid[]) AND token = $2`,
    [databases, holder.token],
    z.object({ database: wholeNumber }),
  );
  const held = new Set(rows.map((row) => row.database));
  const lost = databases.find((database) => !held.has(database));
  if (lost !== undefined) throw superseded(maintenance, lost, holder);
}

/**
 * Locks the row, compares, and runs `effect` in the same transaction. `closedBy` is the token of the worker
 * that closed this database for good, if one has.
 * @throws TokenSuperseded unless the row holds exactly our token
 */
export async function underToken<T>(
  maintenance: Session,
  database: number,
  holder: TokenHolder,
  effect: (tx: Session, closedBy: number | undefined) => Promise<T>,
): Promise<T> {
  return await maintenance.transaction(async (tx) => {
    const row = await tx.maybeOne(
      `SELECT token, closed_by FROM ${fenceTable(holder.installation)} WHERE database = $1 FOR UPDATE`,
      [database],
      z.object({ token: wholeNumber, closed_by: wholeNumber.nullable() }),
    );
    if (row?.token !== holder.token) throw superseded(maintenance, database, holder);
    return await effect(tx, row.closed_by ?? undefined);
  });
}

/** In the transaction of `underToken`: this database is closed for good by us, or no longer. */
export async function markClosed(
  tx: Session,
  database: number,
  holder: TokenHolder,
  closed: boolean,
): Promise<void> {
  await tx.execute(`UPDATE ${fenceTable(holder.installation)} SET closed_by = $2 WHERE database = $1`, [
    database,
    closed ? holder.token : null,
  ]);
}

/** Nothing of ours is inside any more: the token stays, so that no older one counts; the sweep looks elsewhere. */
export async function restToken(maintenance: Session, database: number, holder: TokenHolder): Promise<void> {
  await maintenance.execute(
    `UPDATE ${fenceTable(holder.installation)} SET holder = '' WHERE database = $1 AND token = $2`,
    [database, holder.token],
  );
}

/** Open databases in which a move of this installation may have left something. */
export async function busyDatabases(
  maintenance: Session,
  installation: string,
): Promise<{ readonly name: string; readonly oid: number }[]> {
  if (!(await hasTokenTable(maintenance, installation))) return [];
  return await maintenance.query(
    `SELECT d.datname::text AS name, d.oid::bigint AS oid FROM pg_catalog.pg_database d
       JOIN ${fenceTable(installation)} f ON f.database = d.oid WHERE d.datallowconn AND f.holder <> ''`,
    [],
    z.object({ name: z.string(), oid: wholeNumber }),
  );
}

/** Every row, by the number of its database. */
export async function readTokens(
  maintenance: Session,
  installation: string,
): Promise<
  ReadonlyMap<number, { readonly token: number; readonly epoch: number; readonly closedForGood: boolean }>
> {
  if (!(await hasTokenTable(maintenance, installation))) return new Map();
  const rows = await maintenance.query(
    `SELECT database::bigint AS database, token, epoch, closed_by IS NOT NULL AS closed FROM ${fenceTable(installation)}`,
    [],
    z.object({ database: wholeNumber, token: wholeNumber, epoch: wholeNumber, closed: z.boolean() }),
  );
  return new Map(
    rows.map(({ database, token, epoch, closed }) => [database, { token, epoch, closedForGood: closed }]),
  );
}

async function hasTokenTable(maintenance: Session, installation: string): Promise<boolean> {
  const { there } = await maintenance.one(
    'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
    [fenceTable(installation)],
    z.object({ there: z.boolean() }),
  );
  return there;
}

/** The row of a database that is gone. */
export async function forgetToken(
  maintenance: Session,
  database: number,
  installation: string,
): Promise<void> {
  await maintenance.execute(
    `DELETE FROM ${fenceTable(installation)}
      WHERE database = $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE oid = $1)`,
    [database],
  );
}

function superseded(maintenance: Session, database: number, holder: TokenHolder): TokenSuperseded {
  return new TokenSuperseded(
    `token ${String(holder.token)} no longer holds database ${String(database)} at ${maintenance.server}`,
  );
}

const patienceMs = 5000;

/** Sessions of the same move with a lower token, and any of ours with a lower token inside the database. */
async function endFormerHolders(maintenance: Session, database: number, holder: TokenHolder): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const sessions = await maintenance.query(
      `SELECT pid, application_name, datid::bigint AS datid FROM pg_catalog.pg_stat_activity
        WHERE application_name LIKE $1 AND pid <> pg_catalog.pg_backend_pid()`,
      [`drayage/${holder.installation}/%`],
      z.object({ pid: z.int(), application_name: z.string(), datid: wholeNumber.nullable() }),
    );
    const former = sessions.filter(({ application_name, datid }) => {
      const held = tokenOf(application_name, holder.installation);
      if (held === undefined || held.token >= holder.token) return false;
      return held.move === holder.move || datid === database;
    });
    if (former.length === 0) return;
    if (performance.now() > until) {
      throw new StepFailure(
        {
          code: 'former-holder',
          sentence: `Sessions of a former worker at ${maintenance.server} do not end (process ${former.map(({ pid }) => pid).join(', ')}).`,
          cure: 'They end with their statement; if not, end them with pg_terminate_backend.',
        },
        'retry',
      );
    }
    await maintenance.execute(
      'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.unnest($1::int[]) AS pid',
      [former.map(({ pid }) => pid)],
    );
    await delay(5);
  }
}
