import type { PostgresServer } from '../../local/demo/servers.ts';

/** Everything on a server that a move may have left: names, by kind. Empty when nothing is. */
export async function leftBehind(server: PostgresServer): Promise<string[]> {
  const everywhere = [
    ["'database'", 'datname', 'pg_database'],
    ["'slot'", 'slot_name', 'pg_replication_slots'],
    ["'subscription'", 'subname', 'pg_subscription'],
    ["'role'", 'rolname', 'pg_roles'],
    ["'origin'", 'roname', 'pg_replication_origin'],
  ].map(
    ([kind, column, catalog]) =>
      `SELECT ${String(kind)} || ' ' || ${String(column)} AS it FROM ${String(catalog)}`,
  );
  const shared = await names(server, everywhere.join(' UNION ALL '), 'postgres');
  const databases = await names(
    server,
    "SELECT datname AS it FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres'",
    'postgres',
  );
  const inside = await Promise.all(
    databases.map(async (database) => {
      const found = await names(
        server,
        "SELECT 'publication ' || pubname AS it FROM pg_publication UNION ALL SELECT 'schema ' || nspname FROM pg_namespace",
        database,
      );
      return found.map((it) => `${it} in ${database}`);
    }),
  );
  return [...shared, ...inside.flat()].filter((it) => / (?:dray_|pg_\d+_)/.test(it));
}

async function names(server: PostgresServer, sql: string, database: string): Promise<string[]> {
  const client = await server.connect(database);
  try {
    const { rows } = await client.query<{ it: string }>(sql);
    return rows.map(({ it }) => it).sort();
  } finally {
    await client.end();
  }
}
