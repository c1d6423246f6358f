/** A cluster's settings, before its server is started. */
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Account } from './binaries.ts';

/** Small enough for several servers on a laptop, wide enough for a dozen moves at once. Durability is the default's. */
const DEFAULTS: Readonly<Record<string, string | number>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: 200,
  max_wal_senders: 60,
  max_replication_slots: 60,
  max_worker_processes: 60,
  max_logical_replication_workers: 40,
  max_sync_workers_per_subscription: 2,
  max_wal_size: '1GB',
  autovacuum_naptime: '20s',
  log_line_prefix: '%m [%p] %q%a@%d ',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

/** Adds to postgresql.conf; what is written last wins. */
export function writeSettings(
  folder: string,
  options: {
    readonly port: number;
    readonly walLevel?: 'replica' | 'logical';
    readonly settings?: Readonly<Record<string, string | number>>;
  },
): void {
  const file = path.join(folder, 'data', 'postgresql.conf');
  const major = Number(readFileSync(path.join(folder, 'data', 'PG_VERSION'), 'utf8'));
  const settings = {
    ...DEFAULTS,
    ...(major >= 18 ? { max_active_replication_origins: 60 } : {}),
    wal_level: options.walLevel ?? 'logical',
    ...options.settings,
    port: options.port,
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.toString().replaceAll("'", "''")}'`,
  );
  appendFileSync(file, `\n${lines.join('\n')}\n`);
}

export function credentials(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** The user's own PG* variables, and languages for messages, are not the server's business. */
export function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PG') && !name.startsWith('LC_'),
  );
  return { ...Object.fromEntries(kept), LC_MESSAGES: 'C', LC_ALL: undefined };
}
