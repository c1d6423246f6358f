import { isIPv6, Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import pg from 'pg';
import type { HostSite } from '../../ports/driver.ts';
import type { HostNetworks } from '../../ports/networks.ts';
import { Session } from './database-session.ts';
import { PostgresFailure } from './failures.ts';
import { quoteConninfoValue } from './identifiers.ts';

export type { Session };

export type TlsMode = 'verify-full' | 'require' | 'disable';

/** The way to a server, with the credentials of the mover. Lives no longer than an invocation. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  /** See `HostSite`: for a server that refuses `password`. */
  readonly renewPassword?: HostSite['renewPassword'];
  /** See `HostSite`: nothing else is connected to. */
  readonly networks: HostNetworks;
  readonly tls: TlsMode;
  readonly caPem?: string | undefined;
}

export interface ConnectOptions {
  readonly database: string;
  /** Shown in `pg_stat_activity`; the host token stands in it, so that a takeover finds the session. */
  readonly applicationName: string;
  /** Milliseconds a statement waits for a lock; 200 on a source, where others queue behind us. */
  readonly lockTimeoutMs: number;
  /** Milliseconds a statement may take; without it, as long as it needs. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds until the way to the server counts as timed out. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A walsender of this database: no parameters, and replication commands. */
  readonly replication?: boolean;
  /** Further settings of the session, e.g. `{ role: 'owner' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Milliseconds in which a statement that begins now must be answered; without it, as long as it needs. */
  readonly answerMs?: () => number | undefined;
  /** Aborted: the connection is cut at once, whatever it is doing; the server ends the statement. */
  readonly signal?: AbortSignal;
}

/**
 * Pinned, so that a value has one text on every server and in every database, whatever a role or a database
 * sets: hashes and dumps depend on it. `row_security = off` makes a hidden row an error instead of a gap.
 */
const pinned: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO,YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '3',
  xmloption: 'content',
  lc_monetary: 'C',
  search_path: '',
  row_security: 'off',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  synchronize_seqscans: 'off',
  idle_in_transaction_session_timeout: '0',
  client_min_messages: 'error',
  // Catalog queries look dear to the planner and are not: compiling them would take longer than running them.
  jit: 'off',
};

/** `host:port`, for sentences: never more than that. */
export function serverName(address: Pick<PostgresAddress, 'host' | 'port'>): string {
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${String(address.port)}`;
}

/**
 * Opens one connection, with pinned settings. No pool, no reconnect: a session that is lost stays lost. A password that
 * is refused is asked for once more, and counts as wrong only if it is the same, or the other one is refused too.
 * @throws StepFailure `host-address-refused`
 * @throws PostgresFailure `host-unreachable`, `host-timeout`, `wrong-password`, `database-missing`,
 * `database-closed`, `too-many-connections`, `tls-…`, …
 */
export async function connect(address: PostgresAddress, options: ConnectOptions): Promise<Session> {
  const { password } = address;
  try {
    return await open(address, password, options);
  } catch (error) {
    if (!(error instanceof PostgresFailure) || error.failure.code !== 'wrong-password') throw error;
    if ((await address.renewPassword?.(password)) !== true) throw error;
    return await open(address, address.password, options);
  }
}

async function open(
  address: PostgresAddress,
  password: string | undefined,
  options: ConnectOptions,
): Promise<Session> {
  const context = { server: serverName(address), database: options.database, user: address.user };
  options.signal?.throwIfAborted();
  address.networks.assertAdmits(address.host);
  const config = {
    stream: () => socketInto(address.networks),
    host: address.host,
    port: address.port,
    user: address.user,
    // A function: otherwise an absent password is taken from the environment of the process.
    password: () => password ?? '',
    database: options.database,
    ssl: tlsOptions(address),
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: startupOptions(options),
    ...(options.replication === true ? { replication: 'database' } : {}),
  };
  const client = new pg.Client(config);
  const session = new Session(client, context, options.signal, options.answerMs);
  await session.open();
  return session;
}

/** What the name leads to is looked at by the socket that then connects there: a second look might be told otherwise. */
function socketInto({ lookup }: HostNetworks): Socket {
  const socket = new Socket();
  const connectTo = socket.connect.bind(socket);
  // The client library calls it in this way only.
  Object.defineProperty(socket, 'connect', {
    value: (port: number, host: string) => connectTo({ port, host, lookup }),
  });
  return socket;
}

function tlsOptions(address: PostgresAddress): false | TlsOptions {
  if (address.tls === 'disable') return false;
  const ca = address.caPem === undefined ? {} : { ca: address.caPem };
  return address.tls === 'require' ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ...ca };
}

function startupOptions(options: ConnectOptions): string {
  const settings = {
    ...pinned,
    lock_timeout: String(options.lockTimeoutMs),
    statement_timeout: String(options.statementTimeoutMs ?? 0),
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll('\\', '\\\\').replaceAll(' ', '\\ ')}`)
    .join(' ');
}

/** What the other server needs to reach this one, as libpq writes it. Holds the password: never log it. */
export function conninfo(
  address: Omit<PostgresAddress, 'networks'>,
  options: {
    readonly database: string;
    readonly applicationName: string;
    readonly connectTimeoutSeconds?: number;
  },
): string {
  const parts: Record<string, string> = {
    host: address.host,
    port: String(address.port),
    user: address.user,
    dbname: options.database,
    sslmode: address.tls,
    application_name: options.applicationName,
    connect_timeout: String(options.connectTimeoutSeconds ?? 10),
    keepalives_idle: '10',
    ...(address.password === undefined ? {} : { password: address.password }),
  };
  return Object.entries(parts)
    .map(([key, value]) => `${key}=${quoteConninfoValue(value)}`)
    .join(' ');
}
