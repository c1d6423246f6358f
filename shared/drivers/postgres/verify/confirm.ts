import type { Session } from '../connection.ts';
import { compareUnits, findSuspects, recheckKeys } from './compare.ts';
import type { ComparedTable, Key } from './hashes.ts';
import type { Differences } from './online.ts';

const atOnce = 100;

/**
 * The last comparison, while the source is frozen and the target has applied its tail: nothing moves any
 * more, so one look decides. Rows and tables that the online comparison left, and `tables` besides (small
 * ones, or all of them where time does not matter). @returns what differs: empty when all is equal
 */
export async function confirmTables(
  source: Session,
  target: Session,
  all: readonly ComparedTable[],
  left: Differences,
  tables: readonly ComparedTable[],
): Promise<Differences> {
  const byName = new Map(all.map((table) => [nameOf(table), table]));
  const whole = new Map([...tables, ...found(byName, left.tables)].map((table) => [nameOf(table), table]));
  const result: Differences = { rows: [], tables: [] };
  for (const table of found(byName, left.rows)) {
    if (whole.has(nameOf(table))) continue;
    const keys = left.rows.filter((row) => nameOf(row) === nameOf(table)).map(({ key }): Key => key);
    result.rows.push(...named(table, await recheckKeys(source, target, table, keys)));
  }
  const units = [...whole.values()].map((table) => ({ table, range: {}, buckets: 64 }));
  for (let from = 0; from < units.length; from += atOnce) {
    const { unequal } = await compareUnits(source, target, units.slice(from, from + atOnce));
    for (const one of unequal) {
      const { table } = one.unit;
      if (table.primaryKey === null) result.tables.push({ schema: table.schema, name: table.name });
      else result.rows.push(...named(table, await findSuspects(source, target, one)));
    }
  }
  return result;
}

/** The smallest tables whose bytes together stay under the limit: cheap enough for the freeze. */
export function smallestTables<T extends ComparedTable>(
  tables: readonly T[],
  limitBytes: number,
  limitTables = 200,
): T[] {
  const sorted = [...tables].sort((a, b) => a.sizeBytes - b.sizeBytes);
  let bytes = 0;
  const chosen: T[] = [];
  for (const table of sorted) {
    bytes += table.sizeBytes;
    if (bytes > limitBytes || chosen.length >= limitTables) break;
    chosen.push(table);
  }
  return chosen;
}

const nameOf = ({ schema, name }: { readonly schema: string; readonly name: string }): string =>
  JSON.stringify([schema, name]);

function named(table: ComparedTable, keys: readonly Key[]): Differences['rows'] {
  return keys.map((key) => ({ schema: table.schema, name: table.name, key: [...key] }));
}

function found(
  byName: ReadonlyMap<string, ComparedTable>,
  names: readonly { readonly schema: string; readonly name: string }[],
): ComparedTable[] {
  const wanted = [...new Set(names.map(nameOf))];
  return wanted.flatMap((name) => byName.get(name) ?? []);
}
