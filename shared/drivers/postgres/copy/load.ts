import * as z from 'zod';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import { qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import { binarySafe } from '../replication/subscription.ts';
import { build, countPending, pendingBuilds } from '../schema/ledger.ts';
import type { Build } from '../schema/ledger.ts';
import { holdAutovacuum } from './autovacuum.ts';
import { ChunkLedger } from './chunks.ts';
import type { Chunk } from './chunks.ts';
import { runInLanes } from './lanes.ts';
import type { Unit } from './lanes.ts';
import { gatherLoads } from './loads.ts';
import type { Load } from './loads.ts';
import { Marks } from './marks.ts';

/** Side by side: two reach what one disk gives, and each index has two workers of its own. */
const lanes = 2;

/** What rows are told apart by: changes find their rows by it, and foreign keys refer to it. */
const isKey = ({ section, sql }: Build): boolean => section === 'keys' || sql.includes(' UNIQUE INDEX ');

/** Where the rows come from. */
export interface RowSource {
  /** A session on the source for each lane. */
  readonly session: (lane: number) => Promise<Session>;
  /** The state to read; undefined where the source stands still. */
  readonly snapshot: string | undefined;
  /** Called once every row is there: nothing more is read. */
  readonly onRows?: () => Promise<void>;
  /** Called once every row, key and foreign key is there: from then on changes can be applied. */
  readonly onRowsAndKeys?: () => Promise<void>;
}

/**
 * The rows of all tables by our own COPY streams, and each table's keys as soon as its rows are there, while
 * others are still copied: rows arrive twice as fast in a table without an index. What takes longest begins
 * first. Foreign keys follow, then what only queries need: the other indexes, and statistics. Everything that
 * is done is noted in the target in the transaction that does it, so that any worker goes on where the last one
 * stood.
 * @returns how far it has come when time is over: call again; undefined when all is there
 */
export async function loadTables(
  context: MoveContext,
  tables: readonly Table[],
  from: RowSource,
): Promise<LoadProgress | undefined> {
  const inside = await context.target.inside(await context.targetOid(), 'work');
  const marks = await Marks.open(inside, context.names.schema);
  await holdAutovacuum(inside, marks, tables);
  const loading = new Loading(context, {
    tables,
    from,
    ledger: new ChunkLedger(inside, context.names.schema),
    marks,
    binary: await binarySafe(await from.session(0), inside),
    buildMemory: await buildMemory(inside),
  });
  return (await loading.run(inside)) ? undefined : await loading.progress(inside);
}

/** Differs after every chunk and every statement: by this a copy that gets on is told from one that does not. */
export type LoadProgress = Readonly<Record<'chunks' | 'of' | 'statementsLeft', number>>;

interface Means {
  readonly tables: readonly Table[];
  readonly from: RowSource;
  readonly ledger: ChunkLedger;
  readonly marks: Marks;
  readonly binary: boolean;
  readonly buildMemory: string;
}

/** What the server gives to each index build, or as much as it gives to its cache, up to 256 MB. */
async function buildMemory(inside: Session): Promise<string> {
  const { memory } = await inside.one(
    `SELECT greatest(pg_size_bytes(current_setting('maintenance_work_mem')),
                     least(pg_size_bytes(current_setting('shared_buffers')), 268435456)) / 1024 || 'kB' AS memory`,
    [],
    z.object({ memory: z.string() }),
  );
  return memory;
}

class Loading {
  readonly #context: MoveContext;
  readonly #means: Means;
  /** Chunks that are still to come, by table. */
  readonly #open = new Map<Table, number>();

  constructor(context: MoveContext, means: Means) {
    this.#context = context;
    this.#means = means;
  }

  async run(inside: Session): Promise<boolean> {
    const { tables, ledger } = this.#means;
    const listed = await ledger.list(tables);
    const chunks = listed.filter(({ copied }) => !copied).map(({ chunk }) => chunk);
    for (const { table } of chunks) this.#open.set(table, (this.#open.get(table) ?? 0) + 1);
    const place = { schema: this.#context.names.schema };
    const pending = await pendingBuilds(inside, place, ['keys', 'indexes', 'references']);
    const loads = gatherLoads(tables, chunks, await this.#buildParents(pending));
    const rows: Unit[] = [];
    const needed: Unit[] = [];
    const later: Unit[] = [];
    for (const [rank, load] of loads.entries()) {
      const units = this.#unitsOf(load, rank, loads.length);
      rows.push(...units.rows);
      needed.push(...units.needed);
      later.push(...units.later);
    }
    // One after the other: each locks two tables, and they would wait for each other.
    const references = this.#building(
      'references',
      needed,
      2 * loads.length,
      pending.filter(({ section }) => section === 'references'),
    );
    const { onRows, onRowsAndKeys } = this.#means.from;
    const read = this.#telling('all rows', rows, 0, onRows);
    const arrived = [...needed, ...read, ...references];
    const following = this.#telling('all rows and keys', arrived, 2 * loads.length, onRowsAndKeys);
    const statistics = await this.#statisticsOfParents([...needed, ...later], 4 * loads.length);
    const units = [...arrived, ...following, ...later, ...statistics];
    return await runInLanes(units, lanes, () => this.#context.job.remainingMs() > 3000);
  }

  async progress(inside: Session): Promise<LoadProgress> {
    const { tables, ledger } = this.#means;
    const chunks = await ledger.list(tables);
    const pending = Object.values(await countPending(inside, { schema: this.#context.names.schema }));
    return {
      chunks: chunks.filter(({ copied }) => copied).length,
      of: chunks.length,
      statementsLeft: pending.reduce((sum, count) => sum + count, 0),
    };
  }

  #telling(
    name: string,
    after: readonly Unit[],
    rank: number,
    run: (() => Promise<void>) | undefined,
  ): Unit[] {
    return run === undefined ? [] : [{ name, after: after.map((unit) => unit.name), rank, run }];
  }

  /**
   * Indexes of a partitioned table are made empty, in no time; those of its partitions are attached to them.
   * @returns what belongs to the tables that hold rows
   */
  async #buildParents(pending: readonly Build[]): Promise<readonly Build[]> {
    const { tables } = await this.#context.inventory();
    const parents = new Set(tables.filter(({ kind }) => kind === 'partitioned').map(qualifiedName));
    const builds = pending.filter(({ section }) => section !== 'references');
    const ofParents = builds.filter((one) => parents.has(qualifiedName(one)));
    if (ofParents.length > 0)
      await build(await this.#builder(0), { schema: this.#context.names.schema }, ofParents);
    return builds.filter((one) => !parents.has(qualifiedName(one)));
  }

  /** Rows and keys, which all others wait for; then each index, then statistics. */
  #unitsOf(
    { name, tables, chunks, builds, isDear }: Load,
    rank: number,
    count: number,
  ): { readonly rows: readonly Unit[]; readonly needed: readonly Unit[]; readonly later: readonly Unit[] } {
    const [only, ...others] = tables;
    const single = only !== undefined && others.length === 0;
    const parts = single ? chunks.map((chunk) => [chunk]) : chunks.length > 0 ? [chunks] : [];
    const rows = parts.map((part, index) => this.#copying(`rows ${String(index)} of ${name}`, rank, part));
    // All rows first, so that the snapshot can go. What takes long to build would be alone at the end.
    const building = count + rank;
    const afterAll = isDear ? building : 3 * count + rank;
    const keys = this.#building(`keys of ${name}`, rows, building, builds.filter(isKey));
    const indexes = builds.filter((one) => !isKey(one));
    // Those of a partition are attached to its parent's: in the order of the dump.
    const side = single && !only.isPartition ? indexes.map((one) => [one]) : [indexes];
    const indexing = side.flatMap((part, index) =>
      this.#building(`index ${String(index)} of ${name}`, [...rows, ...keys], afterAll, part),
    );
    const needed = [...rows, ...keys];
    // Those of partitions come with their parents'.
    const plain = tables.filter(({ isPartition }) => !isPartition);
    const statistics = this.#statistics(name, [...needed, ...indexing], afterAll, plain);
    return { rows, needed, later: [...indexing, ...statistics] };
  }

  async #statisticsOfParents(after: readonly Unit[], rank: number): Promise<Unit[]> {
    const { tables } = await this.#context.inventory();
    const roots = tables.filter(({ kind, isPartition }) => kind === 'partitioned' && !isPartition);
    return roots.flatMap((root) => this.#statistics(qualifiedName(root), after, rank, [root]));
  }

  #copying(name: string, rank: number, chunks: readonly Chunk[]): Unit {
    const { ledger, from, binary } = this.#means;
    return {
      name,
      after: [],
      rank,
      run: async (lane) => {
        const { target } = this.#context;
        const into = await target.inside(await this.#context.targetOid(), `lane ${String(lane)}`);
        await ledger.copy(await from.session(lane), into, chunks, { binary, snapshot: from.snapshot });
        this.#show(chunks);
      },
    };
  }

  /** One unit, or none where nothing is to be built. */
  #building(name: string, after: readonly Unit[], rank: number, builds: readonly Build[]): Unit[] {
    if (builds.length === 0) return [];
    const place = { schema: this.#context.names.schema };
    const run = async (lane: number): Promise<void> => build(await this.#builder(lane), place, builds);
    return [{ name, after: after.map((unit) => unit.name), rank, run }];
  }

  #statistics(name: string, after: readonly Unit[], rank: number, tables: readonly Table[]): Unit[] {
    const { marks } = this.#means;
    const what = `statistics of ${name}`;
    if (tables.length === 0 || marks.has(what)) return [];
    const list = tables.map(qualifiedName).join(', ');
    const run = async (lane: number): Promise<void> => {
      const session = await this.#builder(lane);
      await marks.once(session, what, async () => session.execute(`ANALYZE ${list}`));
    };
    return [{ name: what, after: after.map((unit) => unit.name), rank, run }];
  }

  async #builder(lane: number): Promise<Session> {
    const { target } = this.#context;
    return await target.inside(await this.#context.targetOid(), `builder ${String(lane)}`, {
      lockTimeoutMs: 0,
      outlives: true,
      settings: {
        max_parallel_maintenance_workers: '2',
        maintenance_work_mem: this.#means.buildMemory,
      },
    });
  }

  #show(copied: readonly Chunk[]): void {
    const { tables } = this.#means;
    for (const { table } of copied) this.#open.set(table, (this.#open.get(table) ?? 0) - 1);
    const left = tables.filter((table) => (this.#open.get(table) ?? 0) > 0);
    const bytesOf = (some: readonly Table[]): number =>
      some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#context.job.show({
      tables: tables.length,
      tablesDone: tables.length - left.length,
      bytes: bytesOf(tables) - bytesOf(left),
      totalBytes: bytesOf(tables),
    });
  }
}
