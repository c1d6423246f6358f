import type { Session } from '../connection.ts';
import { bucketRow, bucketsSql, Parameters, readBucketRows, readRowsByKey } from './hashes.ts';
import type { Bucket, ComparedTable, Key, Range } from './hashes.ts';

/** A piece of work: one part of one table. */
export interface Unit {
  readonly table: ComparedTable;
  readonly range: Range;
  /** A power of two. */
  readonly buckets: number;
}

export interface Unequal {
  readonly unit: Unit;
  readonly buckets: readonly number[];
}

export interface Comparison {
  /** Rows on the source. */
  readonly rows: bigint;
  readonly unequal: readonly Unequal[];
}

/** Both sides at the same moment: what is in flight shows as unequal, what is lost does so for good. */
export async function compareUnits(
  source: Session,
  target: Session,
  units: readonly Unit[],
): Promise<Comparison> {
  const [left, right] = await Promise.all([readBuckets(source, units), readBuckets(target, units)]);
  let rows = 0n;
  for (const buckets of left.values()) for (const bucket of buckets.values()) rows += bucket.rows;
  const unequal = units.flatMap((unit, place): Unequal[] => {
    const here = left.get(place) ?? new Map<number, Bucket>();
    const there = right.get(place) ?? new Map<number, Bucket>();
    const differing = [...new Set([...here.keys(), ...there.keys()])].filter((bucket) => {
      const [a, b] = [here.get(bucket), there.get(bucket)];
      return a?.rows !== b?.rows || a?.sum !== b?.sum;
    });
    return differing.length === 0 ? [] : [{ unit, buckets: differing }];
  });
  return { rows, unequal };
}

async function readBuckets(
  session: Session,
  units: readonly Unit[],
): Promise<Map<number, Map<number, Bucket>>> {
  const parameters = new Parameters();
  const sql = units.map((unit, place) => bucketsSql(place, unit.table, unit.range, unit.buckets, parameters));
  const found = await session.query(sql.join('\nUNION ALL\n'), parameters.values, bucketRow);
  const result = new Map<number, Map<number, Bucket>>();
  for (const { unit, bucket, rows, sum } of found) {
    const buckets = result.get(unit) ?? new Map<number, Bucket>();
    buckets.set(bucket, { rows, sum });
    result.set(unit, buckets);
  }
  return result;
}

/** The keys whose rows differ in unequal buckets, read at the same moment on both sides. */
export async function findSuspects(
  source: Session,
  target: Session,
  { unit, buckets }: Unequal,
): Promise<Key[]> {
  const [left, right] = await Promise.all(
    [source, target].map(async (session) =>
      readBucketRows(session, unit.table, unit.range, unit.buckets, buckets),
    ),
  );
  return differingKeys(left ?? new Map<string, string>(), right ?? new Map<string, string>());
}

/** Those of `keys` whose rows still differ. */
export async function recheckKeys(
  source: Session,
  target: Session,
  table: ComparedTable,
  keys: readonly Key[],
): Promise<Key[]> {
  const [left, right] = await Promise.all(
    [source, target].map(async (session) => readRowsByKey(session, table, keys)),
  );
  return differingKeys(left ?? new Map<string, string>(), right ?? new Map<string, string>());
}

function differingKeys(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): Key[] {
  const differing = [...new Set([...left.keys(), ...right.keys()])].filter(
    (key) => left.get(key) !== right.get(key),
  );
  return differing.map((key) => parseKey(key));
}

function parseKey(json: string): Key {
  const parsed: unknown = JSON.parse(json);
  return Array.isArray(parsed) ? parsed.map(String) : [];
}
