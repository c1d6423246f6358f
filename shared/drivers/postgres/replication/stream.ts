import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteIdentifier, quoteQualified } from '../identifiers.ts';
import { patiently } from '../patience.ts';

/** A table as it is published: never a partitioned one, always its leaves. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** One publication, one slot, one subscription, all of one name. */
export interface Stream {
  readonly name: string;
  readonly index: number;
  readonly tables: readonly TableName[];
  /** Its tables get their keys late: it is disabled while they are built. */
  readonly parked: boolean;
}

/** Each stream has a marker table of its own: streams have no common order. */
export const markerTable = (index: number): string => `marker_${String(index)}`;

/** Makes the schema with a marker table for each stream; on the source with its row, on the target empty. */
export async function ensureMarkers(
  inside: Session,
  schema: string,
  streams: number,
  side: 'source' | 'target',
): Promise<void> {
  const own = quoteIdentifier(schema);
  const statements = [`CREATE SCHEMA IF NOT EXISTS ${own}`];
  for (let index = 0; index < streams; index += 1) {
    const table = quoteQualified(schema, markerTable(index));
    statements.push(`CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, beat text NOT NULL)`);
    if (side === 'source') statements.push(`INSERT INTO ${table} VALUES (1, '') ON CONFLICT DO NOTHING`);
  }
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
export async function ensurePublication(inside: Session, stream: Stream, schema: string): Promise<void> {
  const name = quoteIdentifier(stream.name);
  const marker = { schema, name: markerTable(stream.index) };
  const there = await inside.maybeOne(
    'SELECT pubname::text AS name FROM pg_catalog.pg_publication WHERE pubname = $1',
    [stream.name],
    z.object({ name: z.string() }),
  );
  if (there === undefined) {
    await patiently(
      inside,
      `CREATE PUBLICATION ${name} FOR TABLE ONLY ${quoteQualified(marker.schema, marker.name)}`,
    );
  }
  const published = await inside.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
       FROM pg_catalog.pg_publication_rel r
       JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
       JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE p.pubname = $1`,
    [stream.name],
    z.object({ schema: z.string(), name: z.string() }),
  );
  const present = new Set(published.map((table) => quoteQualified(table.schema, table.name)));
  const missing = stream.tables
    .map((table) => quoteQualified(table.schema, table.name))
    .filter((table) => !present.has(table));
  for (let from = 0; from < missing.length; from += chunk) {
    const tables = missing.slice(from, from + chunk).map((table) => `ONLY ${table}`);
    await patiently(inside, `ALTER PUBLICATION ${name} ADD TABLE ${tables.join(', ')}`);
  }
}

/** Makes the slot where it is missing. It waits for every transaction that runs on the whole server. */
export async function ensureSlot(inside: Session, name: string, patienceMs: number): Promise<void> {
  const there = await inside.maybeOne(
    'SELECT slot_name::text AS name FROM pg_catalog.pg_replication_slots WHERE slot_name = $1',
    [name],
    z.object({ name: z.string() }),
  );
  if (there !== undefined) return;
  await inside.transaction(async (tx) => {
    await tx.execute(`SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = ${String(patienceMs)}`);
    await tx.execute(`SELECT pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')`, [name]);
  });
}
