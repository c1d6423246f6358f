import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteIdentifier, quoteQualified } from '../identifiers.ts';
import { qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import { patiently } from '../patience.ts';

/** One row that travels with the tables: what it shows on the target says how far the target has come. */
export const markerTable = (schema: string): string => quoteQualified(schema, 'marker');

/** Makes the schema with the marker on either side; on the target also where a settled move is noted. */
export async function ensureMarker(
  inside: Session,
  schema: string,
  side: 'source' | 'target',
): Promise<void> {
  const statements = [
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,
    `CREATE TABLE IF NOT EXISTS ${markerTable(schema)} (id int PRIMARY KEY, beat text NOT NULL)`,
    `INSERT INTO ${markerTable(schema)} VALUES (1, '') ON CONFLICT DO NOTHING`,
  ];
  if (side === 'target') {
    statements.push(
      `CREATE TABLE IF NOT EXISTS ${quoteQualified(schema, 'settled')} (id int PRIMARY KEY, said text NOT NULL)`,
    );
  }
  await inside.execute(statements.join(';\n'));
}

/** Tables a statement names at most: each is a lock, and a message of reasonable size. */
const chunk = 500;

/** Makes the publication and adds what is missing to it. Gentle: waits for no lock longer than 200 ms. */
export async function ensurePublication(
  inside: Session,
  publication: string,
  schema: string,
  tables: readonly Table[],
): Promise<void> {
  const name = quoteIdentifier(publication);
  const there = await inside.maybeOne(
    'SELECT pubname::text AS name FROM pg_catalog.pg_publication WHERE pubname = $1',
    [publication],
    z.object({ name: z.string() }),
  );
  if (there === undefined)
    await patiently(inside, `CREATE PUBLICATION ${name} FOR TABLE ONLY ${markerTable(schema)}`);
  const published = await inside.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
       FROM pg_catalog.pg_publication_rel r
       JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
       JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE p.pubname = $1`,
    [publication],
    z.object({ schema: z.string(), name: z.string() }),
  );
  const present = new Set(published.map(qualifiedName));
  const missing = tables.map(qualifiedName).filter((table) => !present.has(table));
  for (let from = 0; from < missing.length; from += chunk) {
    const added = missing.slice(from, from + chunk).map((table) => `ONLY ${table}`);
    await patiently(inside, `ALTER PUBLICATION ${name} ADD TABLE ${added.join(', ')}`);
  }
}
