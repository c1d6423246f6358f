import type { PostgresServer } from '../../local/demo/servers.ts';
import { compareContent, hashTables, isUnwritten } from '../../local/demo/content.ts';

/** Our markers are in the source's copy and no longer in the target. */
const isOurs = (name: string): boolean => /^"?dray_/.test(name);

/**
 * Compares the copy that a move has left on the source with the target, table by table.
 * @param written also what writers write: when nobody has written since the flip
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
      return compareContent(kept, moved).map((difference) => `both sides: ${difference}`);
    } finally {
      await client.query(door(false));
    }
  } finally {
    await client.end();
  }
}
