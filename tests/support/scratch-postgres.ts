import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries, serverAccount } from '../../local/demo/binaries.ts';
import type { NpmMajor } from '../../local/demo/binaries.ts';
import { makeCluster } from '../../local/demo/cluster-template.ts';
import { freePort } from '../../local/servers/ports.ts';
import { connect } from '../../shared/drivers/postgres/connection.ts';
import type { ConnectOptions, PostgresAddress, Session } from '../../shared/drivers/postgres/connection.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { scratchRoot } from '../../local/servers/scratch-root.ts';

export interface ScratchServer {
  readonly major: NpmMajor;
  readonly address: PostgresAddress & { readonly password: string };
  readonly dataFolder: string;
  /** Its log so far. */
  log(): string;
  session(database?: string, options?: Partial<ConnectOptions>): Promise<Session>;
  stop(): Promise<void>;
}

/**
 * A server of its own in a temporary folder, with SCRAM passwords over TCP on loopback. A shell holds it:
 * when this process ends, however it ends, the shell's input closes and it stops the server and its files.
 */
export async function startScratch(
  major: NpmMajor,
  settings: Readonly<Record<string, string>> = {},
): Promise<ScratchServer> {
  const account = serverAccount();
  const bin = findBinaries(major, account);
  const port = await freePort();
  const folder = await mkdtemp(join(await scratchRoot(), `scratch-pg${String(major)}-`));
  const password = randomBytes(9).toString('base64url');
  await chmod(folder, 0o700);
  const ids = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  if (account !== undefined) {
    await chown(folder, account.uid, account.gid);
  }
  const data = join(folder, 'data');
  await makeCluster(data, password, { bin, account, locale: 'C' });
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    wal_level: 'logical',
    shared_buffers: '64MB',
    max_connections: '50',
    log_min_messages: 'fatal',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const script = `"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$FOLDER"`;
  const holder = spawn('/bin/sh', ['-c', script, 'sh', join(bin, 'postgres'), '-D', data, ...flags], {
    ...ids,
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C', FOLDER: folder },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const log = (): string => lines.join('');
  holder.stderr.on('data', (chunk: Buffer) => {
    if (process.env['SCRATCH_LOG']) process.stderr.write(chunk);
    lines.push(chunk.toString());
  });
  const way = { host: '127.0.0.1', port, networks: anyNetwork, tls: 'disable' } as const;
  const address = { ...way, user: 'postgres', password };
  const session = (database = 'postgres', options: Partial<ConnectOptions> = {}): Promise<Session> =>
    connect(address, { database, applicationName: 'scratch', lockTimeoutMs: 5000, ...options });
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    holder.stdin.end();
    if (holder.exitCode === null) await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; ; attempt += 1) {
    const first = await session().catch(() => undefined);
    if (first !== undefined) {
      await first.close();
      return { major, address, dataFolder: data, log, session, stop };
    }
    if (attempt === 300) {
      await stop();
      throw new Error(`PostgreSQL ${String(major)} does not start: ${log().slice(-4_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
