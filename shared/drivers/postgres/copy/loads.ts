import { qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import type { Build } from '../schema/ledger.ts';
import type { Chunk } from './chunks.ts';

/** Tables up to this many bytes are copied together, … */
const smallTable = 1024 ** 2;
/** … so many at once: with thousands of them the round trips would take longer than the work. */
const smallTablesAtOnce = 100;

/** Tables that go together, from their rows to their statistics. */
export interface Load {
  readonly name: string;
  readonly tables: readonly Table[];
  /** Still to be copied. */
  readonly chunks: readonly Chunk[];
  /** Still to be built, in the order of the dump. */
  readonly builds: readonly Build[];
  /** An index is among them that is no B-tree: it takes about as long as all the rest of its table. */
  readonly isDear: boolean;
}

/** What is to be done for whom; what takes longest first. The same tables give the same names. */
export function gatherLoads(
  tables: readonly Table[],
  chunks: readonly Chunk[],
  builds: readonly Build[],
): Load[] {
  const chunksOf = groupBy(chunks, ({ table }) => qualifiedName(table));
  const buildsOf = groupBy(builds, qualifiedName);
  const load = (together: readonly Table[]): Load => {
    const names = together.map(qualifiedName);
    const own = names.flatMap((name) => buildsOf.get(name) ?? []);
    return {
      name: names[0] ?? '',
      tables: together,
      chunks: names.flatMap((name) => chunksOf.get(name) ?? []),
      builds: own,
      isDear: own.some(isDear),
    };
  };
  const small = tables.filter(({ sizeBytes }) => sizeBytes <= smallTable);
  const groups: (readonly Table[])[] = tables
    .filter(({ sizeBytes }) => sizeBytes > smallTable)
    .map((table) => [table]);
  for (let from = 0; from < small.length; from += smallTablesAtOnce)
    groups.push(small.slice(from, from + smallTablesAtOnce));
  const known = new Set(tables.map(qualifiedName));
  const others = builds.filter((one) => !known.has(qualifiedName(one)));
  return [
    ...groups.map(load),
    { name: 'others', tables: [], chunks: [], builds: others, isDear: false },
  ].sort((one, other) => costOf(other) - costOf(one));
}

const isDear = ({ sql }: Build): boolean => / USING (?!btree\b|brin\b)/.test(sql);

/** Rough, for the order alone. */
function costOf({ tables, builds }: Load): number {
  const bytes = tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return bytes * (1 + builds.filter(isDear).length);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
