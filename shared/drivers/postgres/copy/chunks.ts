import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { Session } from '../connection.ts';
import { copyTableRows } from '../copy-rows.ts';
import { quoteLiteral, quoteQualified } from '../identifiers.ts';
import { qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import { copyWholeTable, silenceTriggers } from '../leftovers.ts';
import { wholeNumber } from '../values.ts';

/** Blocks of a chunk: 64 MB of a table, some seconds of copying. */
const chunkBlocks = 8192;

/** A part of a table, by the place of its rows. */
export interface Chunk {
  readonly table: Table;
  readonly index: number;
  /** Blocks from `from` up to, but without, `to`; the last chunk of a table has no end. */
  readonly from: number;
  readonly to: number | null;
  /** The file that held the table when the places were counted. */
  readonly file: number;
}

/** Every chunk of every table. */
export async function planChunks(source: Session, tables: readonly Table[]): Promise<Chunk[]> {
  const sizes = await source.query(
    `SELECT c.oid::bigint AS oid, pg_catalog.pg_relation_filenode(c.oid)::bigint AS file,
            (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int)::bigint AS blocks
       FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[])`,
    [tables.map(({ oid }) => oid)],
    z.object({ oid: wholeNumber, file: wholeNumber, blocks: wholeNumber }),
  );
  const known = new Map(sizes.map((size) => [size.oid, size]));
  return tables.flatMap((table): Chunk[] => {
    const { blocks = 0, file = 0 } = known.get(table.oid) ?? {};
    const count = table.extension === undefined ? Math.max(1, Math.ceil(blocks / chunkBlocks)) : 1;
    return Array.from({ length: count }, (_, index) => ({
      table,
      index,
      from: index * chunkBlocks,
      to: index === count - 1 ? null : (index + 1) * chunkBlocks,
      file,
    }));
  });
}

/**
 * Where the target notes which chunks there are and which of them it holds. The list is made once for a state
 * of the source: made anew on the way, by then with other block counts, it would leave rows out.
 */
export class ChunkLedger {
  readonly #target: Session;
  readonly #chunks: string;
  readonly #origin: string;

  constructor(target: Session, schema: string) {
    this.#target = target;
    this.#chunks = quoteQualified(schema, 'chunks');
    this.#origin = quoteQualified(schema, 'copied_from');
  }

  /** A new state of the source: what was copied of an earlier one goes, with its ledger. */
  async begin(state: string, chunks: readonly Chunk[], tables: readonly Table[]): Promise<void> {
    await this.#target.execute(
      `CREATE TABLE IF NOT EXISTS ${this.#chunks} (
         name text, index int, first bigint, stop bigint, file bigint, rows bigint, PRIMARY KEY (name, index));
       CREATE TABLE IF NOT EXISTS ${this.#origin} (id int PRIMARY KEY, state text NOT NULL)`,
    );
    await this.#target.transaction(async (tx) => {
      const held = await this.#held();
      const filled = tables.filter(
        (table) => table.extension === undefined && held.has(qualifiedName(table)),
      );
      if (filled.length > 0) {
        await tx.execute(
          `TRUNCATE ${filled.map((table) => `ONLY ${qualifiedName(table)}`).join(', ')} CASCADE`,
        );
      }
      await tx.execute(
        `DELETE FROM ${this.#chunks};
         INSERT INTO ${this.#origin} VALUES (1, ${quoteLiteral(state)})
           ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
      );
      await tx.execute(
        `INSERT INTO ${this.#chunks} (name, index, first, stop, file)
         SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])`,
        [
          chunks.map(({ table }) => qualifiedName(table)),
          chunks.map(({ index }) => index),
          chunks.map(({ from }) => from),
          chunks.map(({ to }) => to),
          chunks.map(({ file }) => file),
        ],
      );
    });
  }

  async #held(): Promise<Set<string>> {
    const rows = await this.#target.query(
      `SELECT DISTINCT name FROM ${this.#chunks} WHERE rows IS NOT NULL`,
      [],
      z.object({ name: z.string() }),
    );
    return new Set(rows.map(({ name }) => name));
  }

  /** The state of the source that the chunks are of; undefined before any was begun. */
  async state(): Promise<string | undefined> {
    const { there } = await this.#target.one(
      'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
      [this.#origin],
      z.object({ there: z.boolean() }),
    );
    if (!there) return undefined;
    const row = await this.#target.maybeOne(
      `SELECT state FROM ${this.#origin} WHERE id = 1`,
      [],
      z.object({ state: z.string() }),
    );
    return row?.state;
  }

  /** What is there is of no state any more: durable before the source gets another snapshot. */
  async clear(): Promise<void> {
    if ((await this.state()) !== undefined) await this.#target.execute(`DELETE FROM ${this.#origin}`);
  }

  /** The chunks of these tables, with whether the target holds them. */
  async list(tables: readonly Table[]): Promise<{ readonly chunk: Chunk; readonly copied: boolean }[]> {
    const known = new Map(tables.map((table) => [qualifiedName(table), table]));
    const rows = await this.#target.query(
      `SELECT name, index, first, stop, file, rows IS NOT NULL AS copied FROM ${this.#chunks} ORDER BY name, index`,
      [],
      z.object({
        name: z.string(),
        index: z.int(),
        first: wholeNumber,
        stop: wholeNumber.nullable(),
        file: wholeNumber,
        copied: z.boolean(),
      }),
    );
    return rows.map(({ name, index, first, stop, file, copied }) => {
      const table = known.get(name);
      if (table === undefined) throw new RangeError(`a chunk of ${name}, which is not in the inventory`);
      return { chunk: { table, index, from: first, to: stop, file }, copied };
    });
  }

  /**
   * Rows and notes commit together: a chunk is there exactly once, whoever dies when.
   * @param snapshot the state of the source to read; without it the source stands still by itself
   */
  async copy(
    source: Session,
    session: Session,
    chunks: readonly Chunk[],
    { binary, snapshot }: { readonly binary: boolean; readonly snapshot: string | undefined },
  ): Promise<void> {
    const whole = chunks.filter(({ table }) => table.extension !== undefined);
    for (const { table, index } of whole) {
      await session.transaction(async (tx) => {
        await copyWholeTable(source, tx, table);
        await tx.execute(this.#note, [qualifiedName(table), index, 0]);
      });
    }
    const parts = chunks.filter(({ table }) => table.extension === undefined);
    if (parts.length === 0) return;
    await source.transaction(
      async (reading) => {
        if (snapshot !== undefined) await adopt(reading, snapshot);
        await session.transaction(async (tx) => {
          // An earlier copy may have come as far as triggers and foreign keys.
          await silenceTriggers(tx);
          for (const { table, index, from, to } of parts) {
            const upper = to === null ? '' : ` AND ctid < '(${String(to)},0)'::tid`;
            const where = `ctid >= '(${String(from)},0)'::tid${upper}`;
            const { rows } = await copyTableRows(reading, tx, table, { where, binary });
            await tx.execute(this.#note, [qualifiedName(table), index, rows]);
          }
          // Asked while the locks of the reading are held: places that have changed meanwhile count for nothing.
          const placed = parts.filter(({ from, to }) => from > 0 || to !== null);
          if (placed.length > 0) await assertSameFiles(reading, placed);
        });
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  }

  get #note(): string {
    return `UPDATE ${this.#chunks} SET rows = $3 WHERE name = $1 AND index = $2`;
  }
}

/** The snapshot is kept by a session of its own; when that is gone, the copy starts over. */
async function adopt(reading: Session, snapshot: string): Promise<void> {
  try {
    await reading.execute(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`);
  } catch (error) {
    if (!reading.usable) throw error;
    throw new StepFailure(
      {
        code: 'snapshot-lost',
        sentence: `The snapshot that the copy reads is gone from ${reading.server}: its session was ended, or the server was restarted.`,
        cure: 'The copy starts over by itself; the source serves as before.',
      },
      'retry',
      { cause: error },
    );
  }
}

async function assertSameFiles(reading: Session, chunks: readonly Chunk[]): Promise<void> {
  const row = await reading.maybeOne(
    `SELECT t.name FROM unnest($1::oid[], $2::bigint[], $3::text[]) AS t(oid, file, name)
      WHERE pg_catalog.pg_relation_filenode(t.oid)::bigint IS DISTINCT FROM t.file LIMIT 1`,
    [
      chunks.map(({ table }) => table.oid),
      chunks.map(({ file }) => file),
      chunks.map(({ table }) => qualifiedName(table)),
    ],
    z.object({ name: z.string() }),
  );
  if (row === undefined) return;
  throw new StepFailure(
    {
      code: 'table-rewritten',
      sentence: `The table ${row.name} was rewritten at ${reading.server} while it was copied (VACUUM FULL, CLUSTER, TRUNCATE).`,
      cure: 'The copy starts over by itself; hold such commands while an endpoint moves.',
    },
    'retry',
  );
}
