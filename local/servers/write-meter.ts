import { z } from 'zod';
import { KeyLimiter, type HottestKey } from './key-limiter.ts';
import { indexWrites, keyValue, type Item, type TableShape } from './table-shape.ts';
import type { ItemWrite, KeysOf } from './write-requests.ts';

/** What a table's writers used. */
export interface TableUse {
  /** Write units of the table itself, as DynamoDB reports them; a refused condition costs one. */
  writeUnits: number;
  /** The same by the beginning of the sort key, in lower case. Of a meter in detail only. */
  unitsOf: Record<string, number>;
  indexUnits: Record<string, number>;
  /** Requests that wrote, batches and transactions counted once. */
  requests: number;
  /** Read units that functions have used, of the table and of its indexes. Of a meter in detail only. */
  readUnits: number;
  /** Items refused because their key, or an index key, was over the limit. */
  throttled: number;
}

const capacity = z.object({
  TableName: z.string(),
  CapacityUnits: z.number().default(0),
  Table: z.object({ CapacityUnits: z.number() }).optional(),
  GlobalSecondaryIndexes: z.record(z.string(), z.object({ CapacityUnits: z.number() })).default({}),
});

const answer = z.object({
  ConsumedCapacity: z.union([capacity.transform((one) => [one]), z.array(capacity)]).optional(),
});

/** Counts write units per table, and refuses writes to keys that are over the limit. */
export class WriteMeter {
  readonly #tables = new Map<string, TableShape>();
  readonly #use = new Map<string, TableUse>();
  readonly #limiter: KeyLimiter | undefined;
  /** Whether it asks what each write is of, and what reads use: slower. */
  readonly inDetail: boolean;
  /** For each item the index keys it stands under now: an update that does not name them still writes there. */
  readonly #standing = new Map<string, readonly string[]>();

  /** `limitPerKey` in write units a second; nothing means no limit. */
  constructor(limitPerKey: number | undefined, inDetail = false) {
    this.inDetail = inDetail;
    this.#limiter = limitPerKey === undefined ? undefined : new KeyLimiter(limitPerKey);
  }

  get limits(): boolean {
    return this.#limiter !== undefined;
  }

  /** Whether it has to be told which items a request writes. */
  get asksForItems(): boolean {
    return this.limits || this.inDetail;
  }

  get hottest(): HottestKey | undefined {
    return this.#limiter?.hottest;
  }

  know(table: TableShape): void {
    this.#tables.set(table.name, table);
  }

  readonly keysOf: KeysOf = (table) => this.#tables.get(table);

  use(): Record<string, TableUse> {
    return Object.fromEntries(this.#use);
  }

  /** Whether this write may happen now. */
  admits(write: ItemWrite): boolean {
    const limiter = this.#limiter;
    if (limiter === undefined) return true;
    const keys = write.key === undefined ? [] : [tableKey(write.table, write.key)];
    const standing = this.#standing.get(itemKey(write.table, write.key, write.range)) ?? [];
    const named = (this.#tables.get(write.table)?.indexes ?? []).flatMap((index) =>
      write.values.map((value) => indexKey(write.table, index.name, value)),
    );
    const free = [...keys, ...standing, ...named].every((key) => limiter.allows(key));
    if (!free) this.#of(write.table).throttled += 1;
    return free;
  }

  /** Counts what an answer says was used, and charges the table keys of `writes` with it. */
  charge(writes: readonly (ItemWrite | undefined)[], body: unknown): void {
    const used = answer.safeParse(body);
    for (const one of used.success ? (used.data.ConsumedCapacity ?? []) : []) {
      const use = this.#of(one.TableName);
      const units = one.Table?.CapacityUnits ?? one.CapacityUnits;
      use.requests += 1;
      use.writeUnits += units;
      for (const [index, { CapacityUnits }] of Object.entries(one.GlobalSecondaryIndexes)) {
        use.indexUnits[index] = (use.indexUnits[index] ?? 0) + CapacityUnits;
      }
      const items = writes.filter((write) => write?.table === one.TableName);
      for (const item of items) {
        this.#chargeKey(item, units / items.length);
        if (item !== undefined) this.#chargeKind(item, units / items.length);
      }
    }
  }

  /** Counts what an answer to a read says was used. */
  chargeRead(body: unknown): void {
    const used = answer.safeParse(body);
    for (const { TableName, CapacityUnits } of used.success ? (used.data.ConsumedCapacity ?? []) : [])
      this.#of(TableName).readUnits += CapacityUnits;
  }

  /** A condition that did not hold consumed a unit all the same. */
  chargeRefusal(write: ItemWrite): void {
    const use = this.#of(write.table);
    use.requests += 1;
    use.writeUnits += 1;
    this.#chargeKey(write, 1);
    this.#chargeKind(write, 1);
  }

  /** Takes a change from the table's stream: what the write cost on the keys of indexes. */
  observe(tableName: string, before: Item | undefined, after: Item | undefined): void {
    const table = this.#tables.get(tableName);
    const limiter = this.#limiter;
    if (table === undefined || limiter === undefined) return;
    for (const { index, key, units } of indexWrites(table, before, after)) {
      limiter.charge(indexKey(tableName, index, key), units);
    }
    const image = after ?? before;
    const range = table.range === undefined ? undefined : keyValue(image, table.range);
    const item = itemKey(tableName, keyValue(image, table.hash), range);
    const keys = table.indexes.flatMap((index) => {
      const value = keyValue(after, index.hash);
      return value === undefined ? [] : [indexKey(tableName, index.name, value)];
    });
    if (keys.length === 0) this.#standing.delete(item);
    else this.#standing.set(item, keys);
  }

  #chargeKey(write: ItemWrite | undefined, units: number): void {
    if (write?.key !== undefined) this.#limiter?.charge(tableKey(write.table, write.key), units);
  }

  #chargeKind({ table, key, range }: ItemWrite, units: number): void {
    if (!this.inDetail) return;
    const [kind = ''] = (range ?? key ?? 'unknown').toLowerCase().split('#');
    const { unitsOf } = this.#of(table);
    unitsOf[kind] = (unitsOf[kind] ?? 0) + units;
  }

  #of(table: string): TableUse {
    let use = this.#use.get(table);
    if (use === undefined) {
      use = { writeUnits: 0, unitsOf: {}, indexUnits: {}, requests: 0, readUnits: 0, throttled: 0 };
      this.#use.set(table, use);
    }
    return use;
  }
}

function tableKey(table: string, value: string): string {
  return `${table}/${value}`;
}

function itemKey(table: string, hash: string | undefined, range: string | undefined): string {
  return JSON.stringify([table, hash, range]);
}

function indexKey(table: string, index: string, value: string): string {
  return `${table}/${index}/${value}`;
}
