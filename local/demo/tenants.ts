/**
 * Tenants: databases with an owner of their own, filled by the servers themselves from the files in sql/.
 * Between them they hold every kind of object that an application is likely to have.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { PostgresServer } from './servers.ts';

/** What a tenant's database may hold; each is a file of sql/ and a schema of its own. */
export const pieces = [
  'shop',
  'telemetry',
  'search',
  'archive',
  'clinic',
  'booking',
  'reports',
  'quoted',
  'counters',
] as const;
export type Piece = (typeof pieces)[number];

/** Login of the role that owns a tenant's database; never a superuser. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface Tenant {
  /** The endpoint's name: what clients look it up by. */
  readonly name: string;
  readonly database: string;
  readonly owner: Login;
  /** Each piece with its rough size in MB; 0 for a few rows. */
  readonly content: Readonly<Partial<Record<Piece, number>>>;
  /** Kept in the server's catalog beside the database, so in no dump of it. */
  readonly settings?: {
    /** Statements after `ALTER DATABASE x`. */
    readonly alter: readonly string[];
    /** Only the owner and the tenant's own roles may connect. */
    readonly closed: boolean;
  };
}

/** The most writers that one tenant's ledger has lines for. */
export const MOST_WRITERS = 32;

/** A tenant with a new password and the conventional owner. */
export function planTenant(
  name: string,
  content: Tenant['content'],
  more: { readonly database?: string; readonly owner?: string; readonly settings?: Tenant['settings'] } = {},
): Tenant {
  return {
    name,
    database: more.database ?? name,
    owner: { user: more.owner ?? `${name}_owner`, password: randomBytes(12).toString('base64url') },
    content,
    ...(more.settings === undefined ? {} : { settings: more.settings }),
  };
}

/** Twelve tenants of about 300 MB in all at scale 1, what an empty database takes included; each with every write of the ledger. */
export function twelveTenants(scale = 1): Tenant[] {
  const mb = (size: number): number => size * scale;
  return [
    planTenant('shop', { shop: mb(88) }),
    planTenant('telemetry', { telemetry: mb(26) }),
    planTenant('library', { search: mb(15) }),
    planTenant('archive', { archive: mb(11) }),
    planTenant(
      'clinic',
      { clinic: mb(6) },
      {
        settings: {
          closed: true,
          alter: ["SET statement_timeout = '90s'", "SET timezone = 'Europe/Warsaw'"],
        },
      },
    ),
    planTenant('hotel', { booking: mb(8) }),
    planTenant('finance', { reports: mb(10) }),
    planTenant('umlaut', { quoted: mb(6) }, { database: 'Ünï "q" tenant', owner: 'Önér of "q"' }),
    planTenant(
      'meters',
      { counters: mb(8) },
      { settings: { closed: false, alter: ['CONNECTION LIMIT 60'] } },
    ),
    planTenant('reserved', { shop: mb(5), booking: 0 }, { database: 'select', owner: 'user' }),
    planTenant(
      'longest',
      { quoted: 0, clinic: mb(2) },
      { database: `${'long '.repeat(12)}nam`, owner: 'o'.repeat(50) },
    ),
    planTenant('everything', {
      shop: mb(1),
      telemetry: mb(1),
      search: mb(1),
      archive: 0,
      clinic: 0,
      booking: 0,
      reports: 0,
      quoted: 0,
      counters: 0,
    }),
  ];
}

/**
 * One database with every kind of object, most of it in a few big tables.
 * @param megabytes what the database is to take on disk, roughly
 * @param without pieces to leave out
 */
export function bigTenant(name: string, megabytes: number, without: readonly Piece[] = []): Tenant {
  const part = (share: number): number => Math.max(0, megabytes - 10) * share;
  const content: Record<Piece, number> = {
    shop: part(0.56),
    telemetry: part(0.255),
    search: part(0.12),
    reports: part(0.04),
    counters: part(0.02),
    clinic: part(0.01),
    booking: part(0.01),
    archive: 0,
    quoted: 0,
  };
  const kept = pieces.filter((piece) => !without.includes(piece));
  return planTenant(name, Object.fromEntries(kept.map((piece) => [piece, content[piece]])));
}

/** The two roles beside the owner that policies and grants of a tenant name. */
export function otherRoles(tenant: Tenant): { readonly reader: string; readonly clerk: string } {
  return { reader: `${tenant.owner.user} reader`, clerk: `${tenant.owner.user} clerk` };
}

/** Makes the tenants' roles on a server, with the same passwords on each. Roles that exist are left as they are. */
export async function createRoles(server: PostgresServer, tenants: readonly Tenant[]): Promise<void> {
  const client = await server.connect();
  try {
    for (const tenant of tenants) {
      const { reader, clerk } = otherRoles(tenant);
      const statements: [string, string][] = [
        [tenant.owner.user, `LOGIN PASSWORD ${pg.escapeLiteral(tenant.owner.password)}`],
        [reader, 'NOLOGIN'],
        [
          clerk,
          `LOGIN PASSWORD ${pg.escapeLiteral(tenant.owner.password)} IN ROLE ${pg.escapeIdentifier(reader)}`,
        ],
      ];
      for (const [role, attributes] of statements) {
        const found = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
        if (found.rowCount === 0)
          await client.query(`CREATE ROLE ${pg.escapeIdentifier(role)} ${attributes}`);
      }
    }
  } finally {
    await client.end();
  }
}

/**
 * Creates and fills one tenant's database; its roles must exist.
 * @returns bytes that the database takes on disk
 */
export async function createTenant(server: PostgresServer, tenant: Tenant): Promise<number> {
  const database = pg.escapeIdentifier(tenant.database);
  const owner = pg.escapeIdentifier(tenant.owner.user);
  const { reader, clerk } = otherRoles(tenant);
  const superuser = await server.connect();
  try {
    await superuser.query(`CREATE DATABASE ${database} OWNER ${owner}`);
    await superuser.query(`COMMENT ON DATABASE ${database} IS ${pg.escapeLiteral(`Tenant ${tenant.name}`)}`);
    await fill(server, tenant);
    for (const change of tenant.settings?.alter ?? [])
      await superuser.query(`ALTER DATABASE ${database} ${change}`);
    if (tenant.settings?.closed === true) {
      await superuser.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
      await superuser.query(`GRANT CONNECT ON DATABASE ${database} TO ${pg.escapeIdentifier(reader)}`);
      await superuser.query(
        `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${pg.escapeIdentifier(clerk)}`,
      );
    }
    const size = await superuser.query<{ bytes: string }>('SELECT pg_database_size($1) AS bytes', [
      tenant.database,
    ]);
    return Number(size.rows[0]?.bytes);
  } finally {
    await superuser.end();
  }
}

/** Creates several tenants, a few at a time; @returns bytes of each, in their order. */
export async function createTenants(
  server: PostgresServer,
  tenants: readonly Tenant[],
  atOnce = 3,
): Promise<number[]> {
  await createRoles(server, tenants);
  const sizes: number[] = [];
  // The largest first: the small ones fill the time that it leaves.
  const waiting = tenants
    .map((tenant, index) => ({ tenant, index, size: sizeOf(tenant) }))
    .sort((one, other) => other.size - one.size);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      sizes[next.index] = await createTenant(server, next.tenant);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return sizes;
}

function sizeOf(tenant: Tenant): number {
  return Object.values(tenant.content).reduce((sum, size) => sum + size, 0);
}

/** As the owner: what an ordinary role may not do must not be needed. */
async function fill(server: PostgresServer, tenant: Tenant): Promise<void> {
  const { host, port } = server.address;
  const client = new pg.Client({ host, port, database: tenant.database, ...tenant.owner });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SET synchronous_commit = off; SET client_min_messages = warning');
    await client.query(await readSql('ledger'));
    await client.query('INSERT INTO ledger.counter SELECT n, 0, 0, 0 FROM generate_series(1, $1::int) n', [
      MOST_WRITERS,
    ]);
    const { reader, clerk } = otherRoles(tenant);
    await client.query("SELECT set_config('demo.reader', $1, false), set_config('demo.clerk', $2, false)", [
      reader,
      clerk,
    ]);
    for (const piece of pieces) {
      const megabytes = tenant.content[piece];
      if (megabytes === undefined) continue;
      await client.query("SELECT set_config('demo.megabytes', $1, false)", [megabytes.toString()]);
      try {
        await client.query(await readSql(piece));
      } catch (cause) {
        throw new Error(`sql/${piece}.sql failed for tenant ${tenant.name}: ${String(cause)}`, { cause });
      }
    }
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}

function readSql(name: 'ledger' | Piece): Promise<string> {
  return readFile(new URL(`sql/${name}.sql`, import.meta.url), 'utf8');
}
