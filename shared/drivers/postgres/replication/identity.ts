import * as z from 'zod';
import type { Session } from '../connection.ts';
import { hasSqlState } from '../failures.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../identifiers.ts';
import { patiently } from '../patience.ts';

/** A table that is to have REPLICA IDENTITY FULL, and what it had: PostgreSQL's letter, or `i:` and an index. */
export interface ChangedIdentity {
  readonly schema: string;
  readonly name: string;
  readonly was: string;
}

const noted = (schema: string): string => quoteQualified(schema, 'identities');

/**
 * Gives tables without a key an identity, so that they can be replicated at all. What they had is noted in
 * the source itself first: whoever clears up, also without the move's records, finds it beside the markers.
 */
export async function setIdentities(
  inside: Session,
  schema: string,
  identities: readonly ChangedIdentity[],
): Promise<void> {
  if (identities.length === 0) return;
  const rows = identities.map(
    (table) => `(${[table.schema, table.name, table.was].map(quoteLiteral).join(', ')})`,
  );
  await inside.execute(
    `CREATE TABLE IF NOT EXISTS ${noted(schema)} (on_schema text, on_table text, was text, PRIMARY KEY (on_schema, on_table));
     INSERT INTO ${noted(schema)} VALUES ${rows.join(', ')} ON CONFLICT DO NOTHING`,
  );
  for (const table of identities) {
    await patiently(inside, `ALTER TABLE ${quoteQualified(table.schema, table.name)} REPLICA IDENTITY FULL`);
  }
}

/** Restores the identities that are noted in our schema, then drops the schema. */
export async function dropSourceSchema(inside: Session, schema: string): Promise<void> {
  const { there } = await inside.one(
    'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
    [noted(schema)],
    z.object({ there: z.boolean() }),
  );
  if (there) {
    const identities = await inside.query(
      `SELECT on_schema AS schema, on_table AS name, was FROM ${noted(schema)}`,
      [],
      z.object({ schema: z.string(), name: z.string(), was: z.string() }),
    );
    for (const table of identities) await restoreIdentity(inside, table);
  }
  await patiently(inside, `DROP SCHEMA IF EXISTS ${quoteIdentifier(schema)} CASCADE`);
}

const words: Readonly<Record<string, string>> = { d: 'DEFAULT', n: 'NOTHING', f: 'FULL' };

async function restoreIdentity(inside: Session, { schema, name, was }: ChangedIdentity): Promise<void> {
  const identity = was.startsWith('i:') ? `USING INDEX ${quoteIdentifier(was.slice(2))}` : words[was];
  if (identity === undefined) throw new RangeError(`"${was}" is no replica identity`);
  try {
    await patiently(inside, `ALTER TABLE ${quoteQualified(schema, name)} REPLICA IDENTITY ${identity}`);
  } catch (error) {
    // The table was dropped meanwhile: there is nothing to restore.
    if (!hasSqlState(error, '42P01', '3F000')) throw error;
  }
}
