import pg from 'pg';
import { z } from 'zod';
import { compareContent, hashTables, isUnwritten, type DatabaseAddress } from '../../local/demo/content.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';

const entriesRow = z.object({ rows: z.string(), hash: z.string(), upTo: z.string() });

/** Every line's first witness, which nobody alters: on both sides the same up to the last one before the flip. */
async function entries(address: DatabaseAddress, upTo?: string): Promise<z.infer<typeof entriesRow>> {
  const client = new pg.Client({ ...address });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT count(*)::text AS rows, coalesce(max(id), 0)::text AS "upTo",
              coalesce(sum(hashtextextended(concat_ws('|', id, writer, seq, amount, body, extract(epoch FROM written_at)), 0)), 0)::text AS hash
       FROM ledger.entry WHERE id <= coalesce($1::bigint, id)`,
      [upTo],
    );
    return entriesRow.parse(rows[0]);
  } finally {
    await client.end();
  }
}

/** Our markers are in the source's copy and no longer in the target. */
const isOurs = (name: string): boolean => /^"?dray_/.test(name);

/**
 * Compares the copy that a move has left on the source with the target, table by table.
 * @param written nobody has written since the flip: also what writers write is the same, to the row
 * @returns what differs, a sentence each
 */
export async function compareSides(
  source: PostgresServer,
  target: PostgresServer,
  database: string,
  written: boolean,
): Promise<string[]> {
  const client = await source.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT datname::text AS name FROM pg_database WHERE datname ~ '^dray_.*_r$'`,
    );
    const [retained, ...more] = rows;
    if (retained === undefined || more.length > 0)
      return [`${String(rows.length)} retained copies on ${source.name}`];
    const only = (name: string): boolean => !isOurs(name) && (written || isUnwritten(name));
    const door = (open: boolean): string =>
      `ALTER DATABASE "${retained.name}" WITH ALLOW_CONNECTIONS ${String(open)}`;
    await client.query(door(true));
    try {
      const [kept, moved] = await Promise.all([
        hashTables({ ...source.address, database: retained.name }, only),
        hashTables({ ...target.address, database }, only),
      ]);
      const differences = compareContent(kept, moved);
      if (!written) {
        const last = await entries({ ...source.address, database: retained.name });
        const same = await entries({ ...target.address, database }, last.upTo);
        if (same.hash !== last.hash || same.rows !== last.rows)
          differences.push(
            `ledger.entry has ${same.rows} rows up to ${last.upTo}, not the ${last.rows} that were there`,
          );
      }
      return differences.map((difference) => `both sides: ${difference}`);
    } finally {
      await client.query(door(false));
    }
  } finally {
    await client.end();
  }
}
