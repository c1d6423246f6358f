import * as z from 'zod';
import type { Session } from '../connection.ts';
import type { MoveContext } from '../context.ts';
import { quoteQualified } from '../identifiers.ts';
import { applyStatements } from '../schema/ledger.ts';
import type { TableName } from './stream.ts';
import { enableSubscription, subscriptionsOf } from './subscription.ts';
import type { TableState } from './sync-state.ts';

/**
 * Late keys for large tables: rows arrive twice as fast in a table without an index.
 *
 * Their stream is enabled until their workers copy, then disabled: the workers copy on to `f` by themselves,
 * also when the mover dies, and nothing is applied to a table that cannot find its rows yet. A table that is
 * copied gets its key; when all have theirs the stream is enabled again and they catch up from their own
 * slots. Only so many tables copy at once, so this goes in waves.
 */
export class Parking {
  readonly #context: MoveContext;
  readonly #stream: string;
  /** Keys that are being built, by table. */
  readonly #building = new Map<string, Promise<void>>();
  /** Other indexes of tables that have their key: nothing waits for them here. */
  readonly #finishing = new Set<Promise<void>>();
  /** Tables that this session has taken on: the catalog shows a key a little later than it is asked for. */
  readonly #begun = new Set<string>();
  #failure: unknown;
  #keyed = false;
  #idleSince: number | undefined;

  constructor(context: MoveContext) {
    this.#context = context;
    this.#stream = context.names.stream(1);
  }

  /** True once every parked table has its key and the stream is enabled for good. */
  get over(): boolean {
    return this.#keyed;
  }

  /** Looks once and does what is due; call it often. */
  async drive(inside: Session, states: readonly TableState[]): Promise<void> {
    this.#throwFailure();
    const mine = states.filter(({ stream }) => stream === this.#stream);
    const bare = await this.#tablesWithoutKey(inside);
    const [subscription] = await subscriptionsOf(inside, [this.#stream]);
    const enabled = subscription?.enabled ?? false;
    if (bare.size === 0 && this.#building.size === 0) {
      if (!enabled) await enableSubscription(inside, this.#stream, true);
      this.#keyed = true;
      return;
    }
    const waiting = mine.filter(({ state }) => state === 'i');
    const copying = mine.filter(({ state }) => state === 'd');
    // A small table may be streamed before its stream could be disabled: it lacks its key all the same.
    const copied = mine.filter((table) => /[fsr]/.test(table.state) && bare.has(nameOf(table)));
    if (enabled) {
      const full =
        copying.some((table) => bare.has(nameOf(table))) &&
        (await this.#workersAreBusy(inside, copying.length));
      const all = waiting.length === 0;
      if (copied.length > 0 || all || full) await enableSubscription(inside, this.#stream, false);
      return;
    }
    for (const table of copied) this.#build(table);
    if (this.#building.size > 0 || copied.length > 0) return;
    if (copying.length === 0 || (await this.#nobodyCopies(inside))) {
      await enableSubscription(inside, this.#stream, true);
    }
  }

  /** Resolves when nothing is being built by this session. */
  async rest(): Promise<void> {
    while (this.#building.size + this.#finishing.size > 0) {
      await Promise.all([...this.#building.values(), ...this.#finishing]);
    }
    this.#throwFailure();
  }

  /** Once: the next call tries again. */
  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined)
      throw failure instanceof Error ? failure : new Error('a key could not be built', { cause: failure });
  }

  #build(table: TableState): void {
    const name = nameOf(table);
    if (this.#begun.has(name) || this.#building.size >= 2) return;
    this.#begun.add(name);
    const key = this.#apply(table, 'keys').finally(() => this.#building.delete(name));
    this.#building.set(name, key);
    const finish = key.then(async () => this.#finish(table)).finally(() => this.#finishing.delete(finish));
    this.#finishing.add(finish);
  }

  /** While other tables are still copied. Indexes of partitions are attached to their parents' later. */
  async #finish(table: TableName): Promise<void> {
    const { tables } = await this.#context.inventory();
    const isPartition = tables.some((one) => one.isPartition && nameOf(one) === nameOf(table));
    if (!isPartition) await this.#apply(table, 'indexes');
  }

  async #apply({ schema, name }: TableName, section: 'keys' | 'indexes'): Promise<void> {
    const { target, names } = this.#context;
    try {
      const session = await target.inside(
        await this.#context.targetOid(),
        `build ${nameOf({ schema, name })}`,
      );
      await session.set({ max_parallel_maintenance_workers: '2', lock_timeout: '0' });
      const place = { schema: names.schema };
      await applyStatements(session, place, { section, only: [{ schema, name }], perTransaction: 1 });
      if (section === 'indexes') await session.close();
    } catch (error) {
      this.#failure ??= error;
      this.#begun.delete(nameOf({ schema, name }));
    }
  }

  async #tablesWithoutKey(inside: Session): Promise<Set<string>> {
    const { parked } = this.#context.plan;
    const rows = await inside.query(
      `SELECT n.nspname::text AS schema, c.relname::text AS name
         FROM unnest($1::text[], $2::text[]) AS t(schema, name)
         JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid)`,
      [parked.map(({ schema }) => schema), parked.map(({ name }) => name)],
      z.object({ schema: z.string(), name: z.string() }),
    );
    return new Set(rows.map((table) => quoteQualified(table.schema, table.name)));
  }

  /** No further table can begin to copy before one of those that copy has ended. */
  async #workersAreBusy(inside: Session, copying: number): Promise<boolean> {
    const { most } = await inside.one(
      `SELECT pg_catalog.current_setting('max_sync_workers_per_subscription')::int AS most`,
      [],
      z.object({ most: z.int() }),
    );
    return copying >= most;
  }

  /** A worker that has failed leaves its table in `d`: it starts again when the stream is enabled. */
  async #nobodyCopies(inside: Session): Promise<boolean> {
    const worker = await inside.maybeOne(
      `SELECT pid FROM pg_catalog.pg_stat_subscription WHERE subname = $1 AND relid IS NOT NULL AND pid IS NOT NULL`,
      [this.#stream],
      z.object({ pid: z.int() }),
    );
    if (worker !== undefined) {
      this.#idleSince = undefined;
      return false;
    }
    this.#idleSince ??= performance.now();
    return performance.now() - this.#idleSince > 1000;
  }
}

const nameOf = ({ schema, name }: TableName): string => quoteQualified(schema, name);
