import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Session } from '../connection.ts';
import { compareUnits, findSuspects, recheckKeys } from './compare.ts';
import type { Unequal, Unit } from './compare.ts';
import { readBoundary } from './hashes.ts';
import type { ComparedTable, Key } from './hashes.ts';

const keyShape = z.array(z.string());

/** Differences that are left: rows by key, or whole tables where there is no key. */
const differences = z.object({
  rows: z.array(z.object({ schema: z.string(), name: z.string(), key: keyShape })),
  tables: z.array(z.object({ schema: z.string(), name: z.string() })),
});
export type Differences = z.infer<typeof differences>;

export const verifyReport = z.object({
  tables: z.int(),
  rows: z.number(),
  /** Of the tables on the source, as they lie on disk without indexes. */
  bytes: z.number(),
  chunks: z.int(),
  /** Rows that differed at first and were then seen equal: changes in flight. */
  settled: z.int(),
  /** What never became equal: to be looked at while the source is frozen. */
  left: differences,
});
export type VerifyReport = z.infer<typeof verifyReport>;

/** Where to go on. Small: a position, the counts so far and the keys in doubt. */
export const verifyProgress = verifyReport.extend({
  tableCount: z.int(),
  table: z.int(),
  after: keyShape.nullable(),
});
export type VerifyProgress = z.infer<typeof verifyProgress>;

export interface VerifyOptions {
  readonly progress?: VerifyProgress | undefined;
  /** Asked between chunks: false stops at this safe point. */
  readonly goOn?: () => boolean;
  /** Bytes hashed in one go; a second or two at 512 MB. */
  readonly chunkBytes?: number;
  /** Looks at a row in doubt, 100 ms apart at first, before it is left to the freeze. */
  readonly rechecks?: number;
  /** More rows in doubt than this are a broken copy, not changes in flight. */
  readonly maxInDoubt?: number;
  readonly signal?: AbortSignal;
}

export type VerifyEnd =
  | { readonly kind: 'done'; readonly report: VerifyReport }
  | { readonly kind: 'continue'; readonly progress: VerifyProgress };

const smallTable = 1024 ** 2;
const smallTablesAtOnce = 50;
const bucketsOf = ({ sizeBytes }: ComparedTable): number => (sizeBytes > smallTable ? 1024 : 64);

const settings = {
  // The planner takes a thousand buckets for as many groups as rows, and would sort all of them on disk.
  enable_sort: 'off',
  work_mem: '64MB',
  // One process on each side hashes faster than rows are copied, and leaves the rest to the clients.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
};

/**
 * Compares tables on both sides while the source is written to and the target follows. Chunk by chunk both
 * sides are hashed at the same moment; rows that differ are looked at again until they have been equal once
 * or the looks are used up. A row that was lost, doubled or changed never becomes equal and is reported.
 *
 * Key ranges follow the order of the source. Where the target sorts otherwise, a row falls into another
 * chunk there: both chunks are unequal, the row itself is found equal. Nothing is skipped.
 * @param tables those that hold rows, in a fixed order
 */
export async function verifyTables(
  source: Session,
  target: Session,
  tables: readonly ComparedTable[],
  options: VerifyOptions = {},
): Promise<VerifyEnd> {
  const run = new Verification(source, target, tables, options);
  await Promise.all([source.set(settings), target.set(settings)]);
  try {
    return await run.proceed();
  } finally {
    const usable = [source, target].filter((session) => session.usable);
    const reset = Object.keys(settings).map((name) => `RESET ${name}`);
    await Promise.all(usable.map(async (session) => session.execute(reset.join('; '))));
  }
}

class Verification {
  readonly #source: Session;
  readonly #target: Session;
  readonly #tables: readonly ComparedTable[];
  readonly #options: VerifyOptions;
  readonly #state: VerifyProgress;
  readonly #chunkBytes: number;

  constructor(source: Session, target: Session, tables: readonly ComparedTable[], options: VerifyOptions) {
    this.#source = source;
    this.#target = target;
    this.#tables = tables;
    this.#options = options;
    this.#chunkBytes = options.chunkBytes ?? 512 * 1024 ** 2;
    const known = options.progress;
    const left = { rows: [], tables: [] };
    const fresh = { tables: 0, rows: 0, bytes: 0, chunks: 0, settled: 0, left, table: 0, after: null };
    // Another number of tables means that the schema has changed: from the start.
    this.#state = structuredClone(
      known?.tableCount === tables.length ? known : { ...fresh, tableCount: tables.length },
    );
  }

  async proceed(): Promise<VerifyEnd> {
    let first = true;
    while (this.#state.table < this.#tables.length) {
      this.#options.signal?.throwIfAborted();
      // At least one chunk in each call, so that short calls come to an end as well.
      if (!first && this.#options.goOn?.() === false) return { kind: 'continue', progress: this.#state };
      first = false;
      await this.#next();
    }
    const report = verifyReport.parse(this.#state);
    return { kind: 'done', report };
  }

  async #next(): Promise<void> {
    const state = this.#state;
    const table = this.#tables[state.table];
    if (table === undefined) return;
    if (table.sizeBytes <= smallTable) {
      await this.#smallTables();
      return;
    }
    const after = state.after ?? undefined;
    const upTo = await this.#boundary(table, after);
    await this.#compare([{ table, range: { after, upTo } }]);
    state.chunks += 1;
    state.after = upTo === undefined ? null : [...upTo];
    if (upTo === undefined) this.#finish([table]);
  }

  /** Small tables share statements: with thousands of them the round trips would take longer than the work. */
  async #smallTables(): Promise<void> {
    const rest = this.#tables.slice(this.#state.table, this.#state.table + smallTablesAtOnce);
    const end = rest.findIndex(({ sizeBytes }) => sizeBytes > smallTable);
    const group = end < 0 ? rest : rest.slice(0, end);
    await this.#compare(group.map((table) => ({ table, range: {} })));
    this.#state.chunks += 1;
    this.#finish(group);
  }

  #finish(tables: readonly ComparedTable[]): void {
    this.#state.table += tables.length;
    this.#state.tables += tables.length;
    this.#state.bytes += tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async #boundary(table: ComparedTable, after: Key | undefined): Promise<Key | undefined> {
    if (table.primaryKey === null || table.sizeBytes <= this.#chunkBytes) return undefined;
    const each = table.estimatedRows > 0 ? table.sizeBytes / table.estimatedRows : 200;
    return await readBoundary(
      this.#source,
      table,
      after,
      Math.max(1000, Math.round(this.#chunkBytes / each)),
    );
  }

  async #compare(parts: readonly Pick<Unit, 'table' | 'range'>[]): Promise<void> {
    // Most tables are equal at once, and dividing their rows among buckets costs as much as hashing them.
    const whole = parts.map((part) => ({ ...part, buckets: 1 }));
    const { rows, unequal: differing } = await compareUnits(this.#source, this.#target, whole);
    this.#state.rows += Number(rows);
    if (differing.length === 0) return;
    const divided = differing.map(({ unit }) => ({ ...unit, buckets: bucketsOf(unit.table) }));
    const { unequal } = await compareUnits(this.#source, this.#target, divided);
    for (const one of unequal) {
      if (one.unit.table.primaryKey === null) await this.#settleTable(one);
      else await this.#settleRows(one);
    }
  }

  async #settleRows(unequal: Unequal): Promise<void> {
    const { table } = unequal.unit;
    let keys = await findSuspects(this.#source, this.#target, unequal);
    const first = keys.length;
    const limit = this.#options.maxInDoubt ?? 20_000;
    for (let look = 0; look < this.#rechecks && keys.length > 0; look += 1) {
      await this.#wait(look);
      const still: Key[] = [];
      for (let from = 0; from < keys.length; from += 2000) {
        still.push(...(await recheckKeys(this.#source, this.#target, table, keys.slice(from, from + 2000))));
      }
      keys = still;
    }
    this.#state.settled += first - keys.length;
    // Too many to carry along: the table as a whole is in doubt.
    if (keys.length + this.#state.left.rows.length > limit) this.#leave(table);
    else {
      const { schema, name } = table;
      this.#state.left.rows.push(...keys.map((key) => ({ schema, name, key: [...key] })));
    }
  }

  /** Without a key there is nothing to look up: the buckets themselves have to be seen equal, each once. */
  async #settleTable({ unit, buckets }: Unequal): Promise<void> {
    let open = new Set(buckets);
    for (let look = 0; look < this.#rechecks && open.size > 0; look += 1) {
      await this.#wait(look);
      const { unequal } = await compareUnits(this.#source, this.#target, [unit]);
      const now = new Set(unequal.flatMap((one) => one.buckets));
      open = new Set([...open].filter((bucket) => now.has(bucket)));
    }
    this.#state.settled += buckets.length - open.size;
    if (open.size > 0) this.#leave(unit.table);
  }

  #leave({ schema, name }: ComparedTable): void {
    const { left } = this.#state;
    if (left.tables.some((one) => one.schema === schema && one.name === name)) return;
    left.tables.push({ schema, name });
    left.rows = left.rows.filter((one) => one.schema !== schema || one.name !== name);
  }

  get #rechecks(): number {
    return this.#options.rechecks ?? 12;
  }

  async #wait(look: number): Promise<void> {
    const { signal } = this.#options;
    await delay(Math.min(100 * 1.5 ** look, 1000), undefined, signal === undefined ? {} : { signal });
  }
}
