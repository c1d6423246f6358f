import { isDeepStrictEqual } from 'node:util';
import { keyNames, type FoundRows, type Position, type RowsQuery } from '../../shared/aws/rows-query.ts';
import { defined, definedOnly, type IndexName } from '../../shared/aws/layout.ts';
import { projectedIndexes } from '../../shared/aws/projections.ts';
import type { Attribute, Row, RowKey } from '../../shared/contracts/rows/row.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';

export interface TableCall {
  readonly operation: 'read' | 'write' | 'query';
  readonly key?: RowKey;
}

/**
 * What goes wrong with a call:
 * - `lost-request`: it never arrives, and no answer comes
 * - `lost-answer`: it takes effect, and no answer comes
 * - `late`: no answer comes, and it takes effect when `land` is called
 */
export type Fault = 'none' | 'lost-request' | 'lost-answer' | 'late';

export interface MemoryChange {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** A row, and what is made of it. */
export interface MemoryWrite {
  readonly key: RowKey;
  readonly next: (row: Row | undefined) => Row | 'gone' | 'refused';
}

/** No answer came. */
export class AnswerLost extends StoreUnavailable {}

/**
 * The table in memory: rows by key, the indexes computed from them, conditional writes, and failures on demand.
 * Rows are copied on their way in, as a wire would; a row that is handed out never changes any more.
 */
export class MemoryTable {
  /** Asked before every call. */
  fault: (call: TableCall) => Fault = () => 'none';
  /** Told of every write, in order, as the table's stream would. */
  onChange: (change: MemoryChange) => void = nobody;
  readonly #rows = new Map<string, Row>();
  #late: (() => void)[] = [];

  async read(key: RowKey): Promise<Row | undefined> {
    await Promise.resolve();
    if (this.fault({ operation: 'read', key }) !== 'none') throw new AnswerLost('a read was not answered');
    return this.#rows.get(nameOf(key));
  }

  /**
   * Replaces a row by what `next` makes of it; `next` may refuse, and is asked again when a late write lands.
   * @throws AnswerLost
   */
  async write(key: RowKey, next: MemoryWrite['next']): Promise<'done' | 'refused'> {
    return this.writeAll([{ key, next }]);
  }

  /** Several at once, or none of them. @throws AnswerLost */
  async writeAll(writes: readonly [MemoryWrite, ...MemoryWrite[]]): Promise<'done' | 'refused'> {
    await Promise.resolve();
    switch (this.fault({ operation: 'write', key: writes[0].key })) {
      case 'none':
        return this.#apply(writes);
      case 'lost-answer':
        this.#apply(writes);
        break;
      case 'late':
        this.#late.push(() => {
          this.#apply(writes);
        });
        break;
      case 'lost-request':
        break;
    }
    throw new AnswerLost('a write was not answered');
  }

  /** Every row there is. */
  rows(): readonly Row[] {
    return [...this.#rows.values()];
  }

  /** Lets the late writes take effect, if their conditions still hold. */
  land(): void {
    const due = this.#late;
    this.#late = [];
    for (const write of due) write();
  }

  #apply(writes: readonly MemoryWrite[]): 'done' | 'refused' {
    const made = writes.map(({ key, next }) => {
      const before = this.#rows.get(nameOf(key));
      return { key, before, after: next(before) };
    });
    if (made.some(({ after }) => after === 'refused')) return 'refused';
    for (const { key, before, after: next } of made) {
      if (next === 'gone' || next === 'refused') {
        this.#rows.delete(nameOf(key));
        if (before !== undefined) this.onChange({ before, after: undefined });
        continue;
      }
      const after = taken(next, before);
      this.#rows.set(nameOf(key), after);
      if (this.onChange !== nobody && !isDeepStrictEqual(before, after)) this.onChange({ before, after });
    }
    return 'done';
  }

  query = async ({ index, hash, range, limit, after }: RowsQuery): Promise<FoundRows> => {
    await Promise.resolve();
    if (this.fault({ operation: 'query' }) !== 'none') throw new AnswerLost('a query was not answered');
    const names = keyNames(index);
    const found = [...this.#rows.values()]
      .filter((row) => row[names.hash] === hash && isIn(row[names.range], range))
      .toSorted((one, other) => compare(positionOf(one, names), positionOf(other, names), names.range));
    const rest =
      after === undefined
        ? found
        : found.filter((row) => compare(positionOf(row, names), after, names.range) > 0);
    const rows = rest.slice(0, limit);
    const last = rows.at(-1);
    const shown = rows.map((row) => (index === undefined ? definedOnly(row) : project(row, index)));
    return last === undefined || rest.length <= limit
      ? { rows: shown }
      : { rows: shown, end: positionOf(last, names) };
  };
}

/** A row as it is kept. What stays as it was is not copied again: a large row of which little changes is written often. */
function taken(next: Row, before: Row | undefined): Row {
  const kept: Record<string, Attribute> = {};
  for (const name of Object.keys(next)) {
    const value = next[name];
    if (value !== undefined) kept[name] = value === before?.[name] ? value : defined(value);
  }
  return { ...kept, pk: next.pk, sk: next.sk };
}

const nobody = (): void => undefined;

function isIn(value: Row[string], range: RowsQuery['range']): boolean {
  if (value === undefined) return false;
  if (range === undefined) return true;
  if ('above' in range) return typeof value === 'string' && value > range.above;
  return 'beginsWith' in range
    ? typeof value === 'string' && value.startsWith(range.beginsWith)
    : typeof value === 'number' && value <= range.atMost;
}

const kept: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  projectedIndexes.map(({ name, hash, range, include }) => [
    name,
    new Set(['pk', 'sk', hash, range, ...include]),
  ]),
);

function project(row: Row, index: IndexName): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => kept.get(index)?.has(name)));
}

function positionOf(row: Row, { hash, range }: { readonly hash: string; readonly range: string }): Position {
  const position: Record<string, string | number> = { pk: row.pk, sk: row.sk };
  for (const name of [hash, range]) {
    const value = row[name];
    if (typeof value === 'string' || typeof value === 'number') position[name] = value;
  }
  return position;
}

/** By the range key; rows that have the same one by the table's keys. */
function compare(one: Position, other: Position, range: string): number {
  for (const name of [range, 'pk', 'sk']) {
    const [mine, its] = [one[name] ?? '', other[name] ?? ''];
    if (mine !== its) return mine < its ? -1 : 1;
  }
  return 0;
}

const nameOf = ({ pk, sk }: RowKey): string => `${String(pk.length)} ${pk} ${sk}`;
