import * as z from 'zod';
import type { Session } from '../connection.ts';
import { hasSqlState, PostgresFailure, redact } from '../failures.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../identifiers.ts';
import { text, wholeNumber } from '../values.ts';
import { sections } from './statements.ts';
import type { Section, Statement } from './statements.ts';

/**
 * The statements of a dump, written down in the target database itself. Each is marked in the transaction
 * that runs it, so that a worker that dies in between, or the next invocation, goes on exactly where the
 * last commit was; nothing is applied twice or left out. The later sections need no second dump.
 *
 * The ledger lives in a schema of the move, which is dropped before clients come.
 */
export interface LedgerPlace {
  readonly schema: string;
}

const table = (place: LedgerPlace): string => quoteQualified(place.schema, 'schema_statements');

/**
 * Writes the statements down, once: a ledger that is there already stays as it is. Returns how many it holds.
 * Creates the schema of the ledger if it is missing.
 */
export async function recordStatements(
  target: Session,
  place: LedgerPlace,
  statements: readonly Statement[],
): Promise<number> {
  return await target.transaction(async () => {
    const found = await target.one(
      `SELECT pg_catalog.to_regclass($1)::text AS ledger`,
      [table(place)],
      z.object({ ledger: text.nullable() }),
    );
    if (found.ledger === null) {
      await target.execute(
        `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(place.schema)};
         CREATE TABLE ${table(place)} (
           id text PRIMARY KEY, section text NOT NULL, place int NOT NULL,
           on_schema text, on_table text, sql text NOT NULL, done timestamptz)`,
      );
      for (let from = 0; from < statements.length; from += 2000) {
        const part = statements.slice(from, from + 2000);
        await target.execute(
          `INSERT INTO ${table(place)} (id, section, place, on_schema, on_table, sql)
           SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[])`,
          [
            part.map(({ id }) => id),
            part.map(({ section }) => section),
            part.map(({ position }) => position),
            part.map((statement) => statement.table?.schema ?? null),
            part.map((statement) => statement.table?.name ?? null),
            part.map(({ sql }) => sql),
          ],
        );
      }
    }
    const { count } = await target.one(
      `SELECT pg_catalog.count(*) AS count FROM ${table(place)}`,
      [],
      z.object({ count: wholeNumber }),
    );
    return count;
  });
}

export interface ApplyOptions {
  readonly section: Section;
  /** Statements that commit together. Many for an empty database, 1 where each takes long. Default 300. */
  readonly perTransaction?: number;
  /** Called after each commit: false stops there. */
  readonly goOn?: () => boolean;
}

const pendingRow = z.object({ id: text, sql: text });

const buildRow = z.object({
  id: text,
  section: z.enum(sections),
  schema: text,
  name: text,
  sql: text,
});
/** A statement that belongs to one table and may take long. */
export type Build = z.infer<typeof buildRow>;

/** What is still to be built of these sections for single tables, in the order of the dump. */
export async function pendingBuilds(
  target: Session,
  place: LedgerPlace,
  wanted: readonly Section[],
): Promise<Build[]> {
  return await target.query(
    `SELECT id, section, on_schema AS schema, on_table AS name, sql FROM ${table(place)}
      WHERE section = ANY ($1::text[]) AND done IS NULL AND on_table IS NOT NULL ORDER BY place`,
    [wanted],
    buildRow,
  );
}

/**
 * Builds and marks in one message: a server that has read it carries it to its end, also when we are gone by
 * then. So an index may take longer than an invocation: whoever asks for the same again waits for the first to
 * end and finds it done.
 */
export async function build(target: Session, place: LedgerPlace, builds: readonly Build[]): Promise<void> {
  for (const { id, sql } of builds) {
    const lock = `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(${quoteLiteral(id)}, 0))`;
    const body = `BEGIN
      IF EXISTS (SELECT FROM ${table(place)} WHERE id = ${quoteLiteral(id)} AND done IS NULL) THEN
        EXECUTE ${quoteLiteral(sql)};
        UPDATE ${table(place)} SET done = pg_catalog.now() WHERE id = ${quoteLiteral(id)};
      END IF;
    END`;
    const reset = 'RESET default_tablespace; RESET default_table_access_method';
    await naming({ id, sql }, async () =>
      untilNoDeadlock(async () => target.execute(`${lock}; DO ${quoteLiteral(body)}; ${reset}`)),
    );
  }
}

/** Two foreign keys between the same tables lock them in another order: the server ends one of the two. */
async function untilNoDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasSqlState(error, '40P01') || attempt === 10) throw error;
    }
  }
}

/**
 * Applies what is not yet marked done, in the order of the dump. Call again until `remaining` is 0.
 * @throws PostgresFailure that names the statement; what was committed before it stays done
 */
export async function applyStatements(
  target: Session,
  place: LedgerPlace,
  options: ApplyOptions,
): Promise<{ readonly applied: number; readonly remaining: number }> {
  const pending = await readPending(target, place, options.section);
  if (pending.length === 0) return { applied: 0, remaining: 0 };
  const size = options.perTransaction ?? 300;
  let applied = 0;
  while (applied < pending.length && (applied === 0 || (options.goOn?.() ?? true))) {
    const part = pending.slice(applied, applied + size);
    await applyPart(target, place, part).catch(async (error: unknown) => {
      if (part.length === 1 || !target.usable) throw error;
      // One by one: the failure names its statement, and what stands before it is done.
      for (const statement of part) await applyPart(target, place, [statement]);
    });
    applied += part.length;
  }
  return { applied, remaining: pending.length - applied };
}

/** How many statements of each section are still to be applied. */
export async function countPending(target: Session, place: LedgerPlace): Promise<Record<Section, number>> {
  const rows = await target.query(
    `SELECT section, pg_catalog.count(*) AS count FROM ${table(place)} WHERE done IS NULL GROUP BY section`,
    [],
    z.object({ section: z.enum(sections), count: wholeNumber }),
  );
  const none = {
    definitions: 0,
    keys: 0,
    indexes: 0,
    references: 0,
    constraints: 0,
    triggers: 0,
    privileges: 0,
    last: 0,
  };
  return { ...none, ...Object.fromEntries(rows.map(({ section, count }) => [section, count])) };
}

async function readPending(
  target: Session,
  place: LedgerPlace,
  section: Section,
): Promise<z.infer<typeof pendingRow>[]> {
  return await target.query(
    `SELECT id, sql FROM ${table(place)} WHERE section = $1 AND done IS NULL ORDER BY place`,
    [section],
    pendingRow,
  );
}

async function applyPart(
  target: Session,
  place: LedgerPlace,
  part: readonly z.infer<typeof pendingRow>[],
): Promise<void> {
  const [statement] = part;
  const ids = part.map(({ id }) => quoteLiteral(id)).join(', ');
  // One message is one transaction. Functions are created before what they mention: their bodies were checked
  // where they come from.
  const message = [
    'SET LOCAL check_function_bodies = off',
    ...part.map(({ sql }) => sql),
    'RESET default_tablespace; RESET default_table_access_method',
    `UPDATE ${table(place)} SET done = pg_catalog.now() WHERE id IN (${ids}) AND done IS NULL`,
  ].join(';\n');
  const apply = async (): Promise<number> => target.execute(message);
  await (statement === undefined || part.length > 1 ? apply() : naming(statement, apply));
}

/** A failure says which statement it was. */
async function naming<T>(statement: z.infer<typeof pendingRow>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostgresFailure)) throw error;
    const { code, sentence, cure } = error.failure;
    const shown = redact(statement.sql.replaceAll(/\s+/g, ' ')).slice(0, 160);
    throw new PostgresFailure(
      { code, sentence: `${sentence} The statement was: ${shown}`, cure },
      error.verdict,
      {
        ...(error.sqlState === undefined ? {} : { sqlState: error.sqlState }),
        cause: error.cause,
      },
    );
  }
}
