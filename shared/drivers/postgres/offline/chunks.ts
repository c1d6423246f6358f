import * as z from 'zod';
import type { Session } from '../connection.ts';
import { copyTableRows } from '../copy-rows.ts';
import { quoteLiteral, quoteQualified } from '../identifiers.ts';
import { holdsRows, qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import { copyWholeTable, silenceTriggers } from '../leftovers.ts';
import { wholeNumber } from '../values.ts';

/** Blocks of a chunk: 64 MB of a table, some seconds of copying. */
const chunkBlocks = 8192;

/** A part of a table, by the place of its rows: nobody moves them, the source is closed. */
export interface Chunk {
  readonly table: Table;
  readonly index: number;
  /** Undefined: the whole table at once. */
  readonly blocks: { readonly from: number; readonly to: number | undefined } | undefined;
}

/** Every chunk of every table that holds rows; the same list whenever it is made while the source is closed. */
export async function planChunks(source: Session, tables: readonly Table[]): Promise<Chunk[]> {
  const rows = tables.filter(holdsRows);
  const sizes = await source.query(
    `SELECT c.oid::bigint AS oid,
            (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int)::bigint AS blocks
       FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[])`,
    [rows.map(({ oid }) => oid)],
    z.object({ oid: wholeNumber, blocks: wholeNumber }),
  );
  const blocksOf = new Map(sizes.map(({ oid, blocks }) => [oid, blocks]));
  return rows.flatMap((table): Chunk[] => {
    const blocks = blocksOf.get(table.oid) ?? 0;
    if (table.extension !== undefined) return [{ table, index: 0, blocks: undefined }];
    const count = Math.max(1, Math.ceil(blocks / chunkBlocks));
    return Array.from({ length: count }, (_, index) => ({
      table,
      index,
      blocks: { from: index * chunkBlocks, to: index === count - 1 ? undefined : (index + 1) * chunkBlocks },
    }));
  });
}

/** Where the target notes which chunks it holds, and for which freeze. */
export class ChunkLedger {
  readonly #target: Session;
  readonly #chunks: string;
  readonly #freeze: string;

  constructor(target: Session, schema: string) {
    this.#target = target;
    this.#chunks = quoteQualified(schema, 'chunks');
    this.#freeze = quoteQualified(schema, 'freeze');
  }

  /**
   * A new freeze: what was copied under an earlier one is old. The tables are emptied with their ledger.
   * @param freeze names this freeze
   */
  async begin(freeze: string, tables: readonly Table[]): Promise<void> {
    await this.#target.execute(
      `CREATE TABLE IF NOT EXISTS ${this.#chunks} (name text, index int, rows bigint, PRIMARY KEY (name, index));
       CREATE TABLE IF NOT EXISTS ${this.#freeze} (id int PRIMARY KEY, name text NOT NULL)`,
    );
    await this.#target.transaction(async (tx) => {
      const held = await this.#held();
      const filled = tables.filter(
        (table) => holdsRows(table) && table.extension === undefined && held.has(qualifiedName(table)),
      );
      if (filled.length > 0) {
        await tx.execute(
          `TRUNCATE ${filled.map((table) => `ONLY ${qualifiedName(table)}`).join(', ')} CASCADE`,
        );
      }
      await tx.execute(
        `DELETE FROM ${this.#chunks};
         INSERT INTO ${this.#freeze} VALUES (1, ${quoteLiteral(freeze)})
           ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
      );
    });
  }

  async #held(): Promise<Set<string>> {
    const rows = await this.#target.query(
      `SELECT DISTINCT name FROM ${this.#chunks}`,
      [],
      z.object({ name: z.string() }),
    );
    return new Set(rows.map(({ name }) => name));
  }

  async copied(): Promise<Set<string>> {
    const rows = await this.#target.query(
      `SELECT name, index FROM ${this.#chunks}`,
      [],
      z.object({ name: z.string(), index: z.int() }),
    );
    return new Set(rows.map(({ name, index }) => `${name} ${String(index)}`));
  }

  /** Rows and note commit together: a chunk is there exactly once, whoever dies when. */
  async copy(source: Session, session: Session, chunk: Chunk, binary: boolean): Promise<void> {
    const name = qualifiedName(chunk.table);
    if (chunk.blocks === undefined) {
      await copyWholeTable(source, session, chunk.table);
      await session.execute(this.#note, [name, chunk.index, 0]);
      return;
    }
    const { from, to } = chunk.blocks;
    const upper = to === undefined ? '' : ` AND ctid < '(${String(to)},0)'::tid`;
    const where = `ctid >= '(${String(from)},0)'::tid${upper}`;
    await session.transaction(async (tx) => {
      // An earlier freeze may have come as far as triggers and foreign keys.
      await silenceTriggers(tx);
      const { rows } = await copyTableRows(source, tx, chunk.table, { where, binary });
      await tx.execute(this.#note, [name, chunk.index, rows]);
    });
  }

  /** Large objects all at once: their copy replaces what is there. */
  async noteLargeObjects(): Promise<void> {
    await this.#target.execute(this.#note, [largeObjectsChunk, 0, 0]);
  }

  get #note(): string {
    return `INSERT INTO ${this.#chunks} VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
  }
}

const largeObjectsChunk = 'large objects';
export const largeObjectsKey = `${largeObjectsChunk} 0`;
export const chunkKey = ({ table, index }: Chunk): string => `${qualifiedName(table)} ${String(index)}`;
