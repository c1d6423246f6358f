/**
 * What a database holds, as hashes of content and lines of catalog: writers' histories alone cannot show that
 * a row which nobody writes to is missing.
 */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { z } from 'zod';

/** A database as a superuser reaches it. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Rows, and their hash; the order of rows does not matter. */
export interface ContentHash {
  readonly rows: number;
  readonly hash: string;
  /** A crash of its server empties it. */
  readonly unlogged?: boolean;
}

/** By qualified name: tables, each partition, materialized views, sequences, and the large objects as one. */
export type ContentHashes = ReadonlyMap<string, ContentHash>;

/** The text of a value has to be the same on every server and in every session. */
const PINNED = `
  SET search_path = ''; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601';
  SET bytea_output = 'hex'; SET extra_float_digits = 1; SET xmloption = 'content'; SET statement_timeout = 0;
  SET lock_timeout = 0; SET row_security = off`;

/** Schemas that are an application's, not the server's. */
const OWN = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

const relationRow = z.object({
  name: z.string(),
  kind: z.string(),
  filled: z.boolean(),
  unlogged: z.boolean(),
  columns: z.array(z.string()),
});
const hashRow = z.object({ rows: z.coerce.number(), hash: z.string() });
const lineRow = z.object({ line: z.string() });

/**
 * Hashes everything in a database, in one snapshot. About 100 MB a second.
 * @param only leaves out relations for which it says no; by qualified, quoted name
 */
export async function hashTables(
  address: DatabaseAddress,
  only: (name: string) => boolean = () => true,
): Promise<ContentHashes> {
  return inSnapshot(address, async (client) => {
    const hashes = new Map<string, ContentHash>();
    const found = await client.query(`
      SELECT c.oid::regclass::text AS name, c.relkind AS kind, c.relispopulated AS filled,
             c.relpersistence = 'u' AS unlogged,
             array(SELECT quote_ident(a.attname) FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND ${OWN} ORDER BY 1`);
    for (const relation of z.array(relationRow).parse(found.rows)) {
      if (!only(relation.name)) continue;
      if (!relation.filled) hashes.set(relation.name, { rows: 0, hash: 'not filled' });
      else {
        const hash = await hashOne(client, queryFor(relation));
        hashes.set(relation.name, relation.unlogged ? { ...hash, unlogged: true } : hash);
      }
    }
    if (only('large objects')) {
      hashes.set(
        'large objects',
        await hashOne(client, {
          row: `ROW(o.oid, pg_get_userbyid(o.lomowner), o.lomacl, lo_get(o.oid))`,
          from: 'pg_largeobject_metadata o',
        }),
      );
    }
    return hashes;
  });
}

function queryFor(relation: z.infer<typeof relationRow>): { row: string; from: string } {
  if (relation.kind === 'S') return { row: 'ROW(last_value, is_called)', from: relation.name };
  // Without ONLY a parent would be hashed with its children.
  return { row: `ROW(${relation.columns.join(', ')})`, from: `ONLY ${relation.name}` };
}

async function hashOne(
  client: pg.Client,
  query: { readonly row: string; readonly from: string },
): Promise<ContentHash> {
  const answer = await client.query(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended((${query.row})::text, 0)::numeric), 0)::text AS hash FROM ${query.from}`,
  );
  return hashRow.parse(answer.rows[0]);
}

/** Every object of a database with its owner, grants and settings, as lines of text in a fixed order. */
export async function describeCatalog(address: DatabaseAddress): Promise<string[]> {
  const sql = await readFile(new URL('sql/catalog.sql', import.meta.url), 'utf8');
  return inSnapshot(address, async (client) => {
    const answer = await client.query(sql);
    return z
      .array(lineRow)
      .parse(answer.rows)
      .map((row) => row.line)
      .sort();
  });
}

/**
 * What differs, a sentence each; nothing when `after` holds exactly what `before` did.
 * @param crashed a server has crashed in between: what is unlogged may be empty
 */
export function compareContent(before: ContentHashes, after: ContentHashes, crashed = false): string[] {
  const differences: string[] = [];
  for (const [name, was] of before) {
    const is = after.get(name);
    if (is === undefined) differences.push(`${name} is missing`);
    else if (crashed && was.unlogged === true && is.rows === 0) continue;
    else if (is.rows !== was.rows)
      differences.push(`${name} has ${is.rows.toString()} rows, not ${was.rows.toString()}`);
    else if (is.hash !== was.hash) differences.push(`${name} has other rows than before`);
  }
  for (const name of after.keys()) if (!before.has(name)) differences.push(`${name} was not there before`);
  return differences;
}

/** Lines that only one of two catalogs has. */
export function compareCatalogs(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !is.has(line)).map((line) => `gone: ${line}`),
    ...after.filter((line) => !was.has(line)).map((line) => `new: ${line}`),
  ];
}

/** True for what no live writer touches: everything but the ledger. */
export function isUnwritten(name: string): boolean {
  return !name.startsWith('ledger.');
}

async function inSnapshot<T>(address: DatabaseAddress, read: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...address });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(PINNED);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await read(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
