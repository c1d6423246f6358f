import pg from 'pg';
import { hostName } from '../../shared/domain/ids.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import type { HostDriver, HostSite } from '../../shared/ports/driver.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { Died } from './cleanup-ledger.ts';
import type { DriverFixture, HostPair } from './driver-conformance.ts';
import { startScratch } from './scratch-postgres.ts';
import type { NpmMajor } from '../../local/demo/binaries.ts';
import type { ScratchServer } from './scratch-postgres.ts';
import { onStatement } from './statement-hook.ts';
import { freePort } from '../../local/servers/ports.ts';

/** The role that owns the tenants' databases, on both servers. */
const tenant = { user: 'tenant', password: 'tenant-secret' };

/** Who moves: a superuser, or from 16 on a role with no more rights than a move needs. */
export type Mover = 'superuser' | 'plain';
const plainMover = { user: 'mover', password: 'mover-secret' };

/** About as many does a move of a small database take. */
const statements = 280;

/** Real servers of these majors. */
export function postgresFixture(
  majors: readonly [NpmMajor, NpmMajor],
  options: { readonly mover?: Mover } & Pick<
    DriverFixture,
    'crashPoints' | 'deaths' | 'deathsOnly' | 'returns'
  > = {},
): DriverFixture {
  const { mover = 'superuser', crashPoints = 6, ...rest } = options;
  return {
    driver: postgresDriver,
    makePair: () => makePair(majors, mover, 'logical'),
    makeOfflinePair: () => makePair(majors, mover, 'replica'),
    nowhere: async () => siteAt('gone', await freePort(), { user: 'postgres', password: 'x' }),
    // Spread over all the statements of a move.
    mortal: (message, when) => dying(Math.ceil((message * statements) / (crashPoints + 1)), when),
    crashPoints,
    slow: true,
    ...rest,
    moveMs: 10_000,
  };
}

export interface PostgresPair extends HostPair {
  readonly serverOf: (site: HostSite) => ScratchServer;
}

export async function makePair(
  [from, to]: readonly [NpmMajor, NpmMajor],
  mover: Mover,
  walLevel: 'logical' | 'replica',
): Promise<PostgresPair> {
  const settings = {
    // Such a mover cannot keep anything of what it says out of the log.
    ...(mover === 'plain' ? { log_statement: 'all', log_min_messages: 'log' } : {}),
    max_worker_processes: '80',
    max_logical_replication_workers: '60',
    max_replication_slots: '60',
    max_wal_senders: '60',
    max_connections: '150',
  };
  // Some tests leave moves behind half-way: each holds a slot, a sender, workers and an origin.
  const origins = (major: NpmMajor): Readonly<Record<string, string>> =>
    major >= 18 ? { max_active_replication_origins: '60' } : {};
  const [a, b] = await Promise.all([
    startScratch(from, { ...settings, ...origins(from), wal_level: walLevel }),
    startScratch(to, { ...settings, ...origins(to) }),
  ]);
  await Promise.all([a, b].map((server) => makeRoles(server, mover)));
  const who = mover === 'plain' ? plainMover : { user: 'postgres', password: undefined };
  const sites = [a, b].map((server, index) =>
    siteAt(index === 0 ? 'a' : 'b', server.address.port, {
      user: who.user,
      password: who.password ?? server.address.password,
    }),
  );
  const [source, target] = sites;
  if (source === undefined || target === undefined) throw new Error('two sites were made');
  const serverOf = (site: HostSite): ScratchServer => (site.url === target.url ? b : a);
  return {
    source,
    target,
    serverOf,
    ...hands(serverOf, source),
    async close() {
      await Promise.all([a.stop(), b.stop()]);
    },
  };
}

async function makeRoles(server: ScratchServer, mover: Mover): Promise<void> {
  const session = await server.session();
  await session.execute(`CREATE ROLE ${tenant.user} LOGIN PASSWORD '${tenant.password}'`);
  if (mover === 'plain') {
    await session.execute(
      `CREATE ROLE ${plainMover.user} LOGIN CREATEDB REPLICATION PASSWORD '${plainMover.password}';
       GRANT pg_create_subscription, pg_signal_backend, ${tenant.user} TO ${plainMover.user};
       GRANT CREATE ON DATABASE postgres TO ${plainMover.user}`,
    );
  }
  await session.close();
}

function siteAt(name: string, port: number, login: { user: string; password: string }): HostSite {
  const address = `127.0.0.1:${String(port)}`;
  return {
    host: hostName(name),
    url: `postgres://${login.user}@${address}/postgres`,
    replicationAddress: address,
    password: login.password,
    networks: anyNetwork,
    options: {},
  };
}

/** A tenant's and an operator's hands, over connections of their own. */
function hands(
  serverOf: (site: HostSite) => ScratchServer,
  source: HostSite,
): Omit<HostPair, 'source' | 'target' | 'close'> {
  let databases = 0;
  const asTenant = async (site: HostSite, database: string): Promise<pg.Client> => {
    const { host, port } = serverOf(site).address;
    const client = new pg.Client({ host, port, ...tenant, database, ssl: false });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const asOperator = async <T>(
    site: HostSite,
    database: string,
    ask: (client: pg.Client) => Promise<T>,
  ): Promise<T> => {
    const { host, port, user, password } = serverOf(site).address;
    const client = new pg.Client({ host, port, user, password, database, ssl: false });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await ask(client);
    } finally {
      await client.end();
    }
  };
  const insert = 'INSERT INTO "Writes" (seq) VALUES ($1)';
  return {
    async createDatabase(rows, site = source, name) {
      databases += 1;
      const database = name ?? `tenant ${String(databases)} "ö"`;
      const quoted = pg.escapeIdentifier(database);
      await asOperator(site, 'postgres', async (client) => {
        await client.query(`CREATE DATABASE ${quoted} OWNER ${tenant.user}`);
        await client.query(`COMMENT ON DATABASE ${quoted} IS 'of a tenant'`);
      });
      const client = await asTenant(site, database);
      await client.query(
        `CREATE TABLE "Writes" (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, seq int UNIQUE);
         CREATE TABLE "no key" (note text); INSERT INTO "no key" VALUES ('stays')`,
      );
      for (let seq = 1; seq <= rows; seq += 1) await client.query(insert, [seq]);
      await client.end();
      return database;
    },
    async write(site, database, seq) {
      let client: pg.Client | undefined;
      try {
        client = await asTenant(site, database);
        await client.query(insert, [seq]);
        return 'acknowledged';
      } catch {
        return 'refused';
      } finally {
        await client?.end();
      }
    },
    async writeSlowly(site, database, seq) {
      const client = await asTenant(site, database);
      await client.query('BEGIN');
      await client.query(insert, [seq]);
      return async () => {
        try {
          await client.query('COMMIT');
          return 'acknowledged';
        } catch {
          return 'refused';
        } finally {
          await client.end();
        }
      };
    },
    async read(site, database) {
      const client = await asTenant(site, database);
      const { rows } = await client.query<{ seq: number }>('SELECT seq FROM "Writes" ORDER BY id');
      await client.end();
      return rows.map(({ seq }) => seq);
    },
    exists: (site, database) =>
      asOperator(site, 'postgres', async (client) => {
        const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
        return rowCount === 1;
      }),
    picture: (site) => asOperator(site, 'postgres', async (client) => picture(client, site, asOperator)),
    connections: (site) =>
      asOperator(site, 'postgres', async (client) => {
        const { rows } = await client.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name LIKE 'drayage%'`,
        );
        return rows[0]?.count ?? 0;
      }),
    cutSessions: (site, database) =>
      asOperator(site, 'postgres', async (client) => {
        await client.query(
          'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1',
          [database],
        );
      }),
  };
}

/** Databases with their doors and what is inside the open ones, roles, slots, subscriptions. */
async function picture(
  client: pg.Client,
  site: HostSite,
  asOperator: <T>(site: HostSite, database: string, ask: (client: pg.Client) => Promise<T>) => Promise<T>,
): Promise<string> {
  const read = async (from: pg.Client, sql: string): Promise<unknown[]> => {
    const { rows } = await from.query<Record<string, unknown>>(sql);
    return rows;
  };
  const shared = await Promise.all(
    [
      `SELECT datname, pg_get_userbyid(datdba) AS owner, datallowconn, datconnlimit,
              coalesce(datacl, acldefault('d', datdba))::text AS acl, shobj_description(oid, 'pg_database') AS comment
         FROM pg_database ORDER BY 1`,
      'SELECT rolname, rolconfig FROM pg_roles ORDER BY 1',
      'SELECT slot_name FROM pg_replication_slots ORDER BY 1',
      'SELECT subname FROM pg_subscription ORDER BY 1',
      'SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2',
    ].map((sql) => read(client, sql)),
  );
  const open = await client.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE datallowconn AND oid > 16000 ORDER BY 1`,
  );
  const inside: unknown[] = [];
  for (const { name } of open.rows) {
    inside.push(
      await asOperator(site, name, async (there) => [
        await read(there, 'SELECT pubname FROM pg_publication ORDER BY 1'),
        await read(there, `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`),
        await read(
          there,
          `SELECT relname, relreplident FROM pg_class WHERE oid >= 16384 AND relkind = 'r'
             AND relnamespace::regnamespace::text !~ '^pg_' ORDER BY 1`,
        ),
      ]),
    );
  }
  return JSON.stringify({ shared, inside }, undefined, 1);
}

/** The worker dies at its statement number `message`: its connections are cut and it learns nothing more. */
function dying(message: number, when: 'before' | 'after'): HostDriver {
  let asked = 0;
  return {
    ...postgresDriver,
    begin(job) {
      const death = new AbortController();
      const session = postgresDriver.begin({ ...job, signal: AbortSignal.any([job.signal, death.signal]) });
      const mine = `drayage/${job.installation}/${job.move}/${String(job.run)}/${String(job.token)}`;
      onStatement(async ({ application }, send) => {
        if (application !== mine) return await send();
        asked += 1;
        if (asked !== message) return await send();
        if (when === 'before') death.abort(new Died('before a statement'));
        const answer: unknown = await send();
        death.abort(new Died('after a statement'));
        return answer;
      });
      return session;
    },
  };
}
