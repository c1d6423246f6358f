import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteQualified } from '../identifiers.ts';

/** What is done once in a target and leaves no other trace: noted beside the statements of the schema. */
export class Marks {
  readonly #table: string;
  readonly #done: Set<string>;

  private constructor(table: string, done: Set<string>) {
    this.#table = table;
    this.#done = done;
  }

  static async open(inside: Session, schema: string): Promise<Marks> {
    const table = quoteQualified(schema, 'done_once');
    await inside.execute(`CREATE TABLE IF NOT EXISTS ${table} (what text PRIMARY KEY)`);
    const rows = await inside.query(`SELECT what FROM ${table}`, [], z.object({ what: z.string() }));
    return new Marks(table, new Set(rows.map(({ what }) => what)));
  }

  has(what: string): boolean {
    return this.#done.has(what);
  }

  /** Does it unless it is marked. A worker that dies in between has it done again. */
  async once(inside: Session, what: string, work: () => Promise<unknown>): Promise<void> {
    if (this.has(what)) return;
    await work();
    await inside.execute(`INSERT INTO ${this.#table} VALUES ($1) ON CONFLICT DO NOTHING`, [what]);
    this.#done.add(what);
  }
}
