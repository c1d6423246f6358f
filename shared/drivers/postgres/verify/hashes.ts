import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteIdentifier, quoteQualified } from '../identifiers.ts';
import type { Table } from '../inventory.ts';
import type { SqlValue } from '../values.ts';
import { bigNumber, text, texts, wholeNumber } from '../values.ts';

/** What the comparison needs to know of a table: any `Table` will do. */
export interface ComparedTable extends Pick<Table, 'schema' | 'name' | 'sizeBytes' | 'estimatedRows'> {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly primaryKey: readonly string[] | null;
  readonly primaryKeyTypes: readonly string[] | null;
}

/** The values of a primary key, column by column, as text. */
export type Key = readonly string[];

/** A part of a table: rows whose key is greater than `after` and not greater than `upTo`; all by default. */
export interface Range {
  readonly after?: Key | undefined;
  readonly upTo?: Key | undefined;
}

export interface Bucket {
  readonly rows: bigint;
  readonly sum: bigint;
}

/**
 * A row's hash is made of one hash for each listed column, each with a seed of its own, mixed once more so
 * that values cannot change places unseen. Never a hash of the row itself: that differs between servers on
 * equal data (enums by oid, collations by version). Hashing `ROW(…)::text` is as exact, and five times slower.
 *
 * The hashes of a bucket are added, not xor-ed, so that a doubled row shows. A bucket holds the rows whose
 * hashes end in the same few bits: only the rows of unequal buckets are looked at one by one. A row that
 * differs makes two of them unequal.
 */
function rowHash({ columns }: ComparedTable): string {
  const hashes = columns.map(({ name, type }, place) =>
    columnHash(`t.${quoteIdentifier(name)}`, type, place + 1),
  );
  return hashes.length === 0 ? '0::bigint' : `hashint8extended(${hashes.join(' # ')}, 0)`;
}

/**
 * Text compares in bytes, whatever collation the column has. The short cuts hash the same on every server, and
 * tell apart whatever the text would: a numeric of a given scale, but not one that keeps its own.
 */
const shortCuts: readonly (readonly [RegExp, (column: string, seed: string) => string])[] = [
  [/^(smallint|integer|bigint)$/, (column, seed) => `hashint8extended(${column}::bigint, ${seed})`],
  [/^uuid$/, (column, seed) => `uuid_hash_extended(${column}, ${seed})`],
  [/^numeric\(\d+,-?\d+\)$/, (column, seed) => `hash_numeric_extended(${column}, ${seed})`],
  [/^timestamp(\(\d\))? without time zone$/, (column, seed) => `timestamp_hash_extended(${column}, ${seed})`],
  [
    /^timestamp(\(\d\))? with time zone$/,
    (column, seed) => `timestamp_hash_extended(${column} AT TIME ZONE 'UTC', ${seed})`,
  ],
  [/^date$/, (column, seed) => `timestamp_hash_extended(${column}::timestamp, ${seed})`],
];

function columnHash(column: string, type: string, seed: number): string {
  const digits = String(seed);
  const [, hash] = shortCuts.find(([pattern]) => pattern.test(type)) ?? [];
  const text = `hashtextextended(${column}::text COLLATE "C", ${digits})`;
  return `coalesce(${hash === undefined ? text : hash(column, digits)}, ${digits})`;
}

/** Parameters of one statement, numbered as they are added. */
export class Parameters {
  readonly values: SqlValue[] = [];

  add(value: SqlValue): string {
    this.values.push(value);
    return `$${String(this.values.length)}`;
  }
}

function rangeSql(table: ComparedTable, range: Range, parameters: Parameters): string {
  const columns = (table.primaryKey ?? []).map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  const bound = (key: Key): string =>
    key
      .map((value, place) => `${parameters.add(value)}::text::${table.primaryKeyTypes?.[place] ?? 'text'}`)
      .join(', ');
  const conditions = [
    ...(range.after === undefined ? [] : [`(${columns}) > (${bound(range.after)})`]),
    ...(range.upTo === undefined ? [] : [`(${columns}) <= (${bound(range.upTo)})`]),
  ];
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

/** One row for each bucket that holds rows, or one row in all: which unit, which bucket, how many rows, their sum. */
export function bucketsSql(
  unit: number,
  table: ComparedTable,
  range: Range,
  buckets: number,
  parameters: Parameters,
): string {
  // OFFSET: the planner would write out the hash twice, and compute it twice.
  const bucket = buckets === 1 ? '0' : `(hash & ${String(buckets - 1)})::int`;
  return `SELECT ${String(unit)} AS unit, ${bucket} AS bucket,
                 count(*) AS rows, coalesce(sum(hash), 0)::text AS sum
            FROM (SELECT ${rowHash(table)} AS hash FROM ONLY ${quoteQualified(table.schema, table.name)} AS t
                  ${rangeSql(table, range, parameters)} OFFSET 0) AS hashed
          ${buckets === 1 ? '' : 'GROUP BY 2'}`;
}

export const bucketRow = z.object({ unit: z.int(), bucket: z.int(), rows: bigNumber, sum: bigNumber });

const keyedRow = z.object({ key: texts, hash: text });

/** Keys and hashes of the rows of some buckets. */
export async function readBucketRows(
  session: Session,
  table: ComparedTable,
  range: Range,
  buckets: number,
  wanted: readonly number[],
): Promise<Map<string, string>> {
  const parameters = new Parameters();
  const where = rangeSql(table, range, parameters);
  const only = `(${rowHash(table)} & ${String(buckets - 1)})::int = ANY (${parameters.add([...wanted])}::int[])`;
  const rows = await session.query(
    `SELECT ${keyTexts(table)} AS key, ${rowHash(table)}::text AS hash
       FROM ONLY ${quoteQualified(table.schema, table.name)} AS t ${where === '' ? 'WHERE' : `${where} AND`} ${only}`,
    parameters.values,
    keyedRow,
  );
  return new Map(rows.map(({ key, hash }) => [JSON.stringify(key), hash]));
}

function keyTexts(table: ComparedTable): string {
  return `ARRAY[${(table.primaryKey ?? []).map((name) => `t.${quoteIdentifier(name)}::text`).join(', ')}]`;
}

/** Hashes of the rows with these keys, by the key's JSON. Absent rows are absent. */
export async function readRowsByKey(
  session: Session,
  table: ComparedTable,
  keys: readonly Key[],
): Promise<Map<string, string>> {
  const names = table.primaryKey ?? [];
  const columns = names.map((_, place) => `k${String(place)}`);
  const on = names.map(
    (name, place) =>
      `t.${quoteIdentifier(name)} = k.k${String(place)}::${table.primaryKeyTypes?.[place] ?? 'text'}`,
  );
  const rows = await session.query(
    `SELECT ${keyTexts(table)} AS key, ${rowHash(table)}::text AS hash
       FROM unnest(${columns.map((_, place) => `$${String(place + 1)}::text[]`).join(', ')}) AS k(${columns.join(', ')})
       JOIN ONLY ${quoteQualified(table.schema, table.name)} AS t ON ${on.join(' AND ')}`,
    names.map((_, place) => keys.map((key) => key[place] ?? null)),
    keyedRow,
  );
  return new Map(rows.map(({ key, hash }) => [JSON.stringify(key), hash]));
}

/** The key that `rows` rows after `after` has, in the order of this server; undefined when there are fewer. */
export async function readBoundary(
  session: Session,
  table: ComparedTable,
  after: Key | undefined,
  rows: number,
): Promise<Key | undefined> {
  const parameters = new Parameters();
  const where = rangeSql(table, { after }, parameters);
  const order = (table.primaryKey ?? []).map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  const found = await session.maybeOne(
    `SELECT ${keyTexts(table)} AS key FROM ONLY ${quoteQualified(table.schema, table.name)} AS t ${where}
      ORDER BY ${order} OFFSET ${String(rows - 1)} LIMIT 1`,
    parameters.values,
    z.object({ key: texts }),
  );
  return found?.key;
}

/**
 * Rows and hash of one whole table: equal on two servers when they hold the same rows, in whatever order.
 * Hashes 400 MB a second and more, less where rows are narrow.
 */
export async function tableHash(
  session: Session,
  table: ComparedTable,
): Promise<{ readonly rows: number; readonly hash: string }> {
  return await session.one(
    `SELECT count(*) AS rows, coalesce(sum(${rowHash(table)}), 0)::text AS hash
       FROM ONLY ${quoteQualified(table.schema, table.name)} AS t`,
    [],
    z.object({ rows: wholeNumber, hash: text }),
  );
}
