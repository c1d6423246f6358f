/**
 * Real PostgreSQL servers on free ports of 127.0.0.1, each in a folder of its own, that never outlive the
 * process that started them.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries, othersCanEnter, serverAccount } from './binaries.ts';
import type { Account, Binaries } from './binaries.ts';
import { freePort } from '../servers/ports.ts';
import { makeCluster } from './cluster-template.ts';
import { credentials, environment, writeSettings } from './cluster.ts';
import { isRunning, signalTree, treeOf } from './processes.ts';

/** How a superuser reaches a server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface ServerOptions {
  /** Stands in the folder's name and in errors. */
  readonly name: string;
  /** Folder in which the server gets one of its own, with data and log. */
  readonly folder: string;
  /** Default: npm's PostgreSQL 18. */
  readonly binaries?: Binaries;
  /** Default: `logical`. */
  readonly walLevel?: 'replica' | 'logical';
  /** Lines of postgresql.conf that win over the defaults here. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Remove the folder when this process dies without having stopped the server. Default: true. */
  readonly removeWhenOrphaned?: boolean;
}

/** How long a start, and a stop, may take, in milliseconds. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;

/** Its text, not its path: the servers' account cannot enter a clone below /root. */
const keeperScript = readFileSync(new URL('keep-server.sh', import.meta.url), 'utf8');

/** One real server. After `stop` or `kill` it can be started again by `restart`, on the same port and data. */
export class PostgresServer {
  readonly name: string;
  readonly address: ServerAddress;
  /** PostgreSQL's major version, as its data folder says. */
  readonly major: number;
  readonly folder: string;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly #bin: string;
  readonly #account: Account | undefined;
  readonly #removeWhenOrphaned: boolean;
  #keeper: ChildProcess | undefined;
  #postmaster: number | undefined;

  constructor(
    options: Pick<ServerOptions, 'name' | 'removeWhenOrphaned'>,
    address: ServerAddress,
    folder: string,
    bin: string,
    account: Account | undefined,
  ) {
    this.name = options.name;
    this.address = address;
    this.folder = folder;
    this.dataFolder = path.join(folder, 'data');
    this.logFile = path.join(folder, 'server.log');
    this.major = Number(readFileSync(path.join(this.dataFolder, 'PG_VERSION'), 'utf8').trim());
    this.#bin = bin;
    this.#account = account;
    this.#removeWhenOrphaned = options.removeWhenOrphaned ?? true;
  }

  /** Process id of the postmaster; undefined when the server is not running. */
  get pid(): number | undefined {
    return this.#postmaster;
  }

  /** Connection string of a superuser; with the password in it, so for this machine's tests and demo alone. */
  url(database = 'postgres'): string {
    const { host, port, user, password } = this.address;
    return `postgresql://${user}:${password}@${host}:${port.toString()}/${encodeURIComponent(database)}`;
  }

  /** A connected superuser's session; the caller ends it. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ ...this.address, database });
    // Without a listener a lost session would end this process.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs one statement as superuser in a session of its own. */
  async query(sql: string, database = 'postgres'): Promise<void> {
    const client = await this.connect(database);
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  /** Starts the postmaster; resolves when it accepts connections, throws with the end of its log when it does not. */
  async start(): Promise<void> {
    if (this.#keeper !== undefined) throw new Error(`server ${this.name} is running already`);
    rmSync(path.join(this.dataFolder, 'postmaster.pid'), { force: true });
    const log = openSync(this.logFile, 'a');
    const keeper = spawn(
      '/bin/sh',
      [
        '-c',
        keeperScript,
        'keep-server.sh',
        this.#removeWhenOrphaned ? 'QUIT' : 'INT',
        this.#removeWhenOrphaned ? this.folder : '-',
        path.join(this.#bin, 'postgres'),
        '-D',
        this.dataFolder,
      ],
      // A group of its own: Ctrl-C on the terminal is for the owner, who stops the server in good order.
      {
        stdio: ['pipe', log, log],
        detached: true,
        cwd: '/',
        env: environment(),
        ...credentials(this.#account),
      },
    );
    closeSync(log);
    keeper.stdin?.on('error', () => undefined);
    this.#keeper = keeper;
    const ended = new Promise<void>((resolve) => {
      keeper.once('exit', () => {
        if (this.#keeper === keeper) {
          this.#keeper = undefined;
          this.#postmaster = undefined;
        }
        resolve();
      });
      keeper.once('error', () => {
        resolve();
      });
    });
    const deadline = performance.now() + START_LIMIT_MS;
    let dead = false;
    void ended.then(() => {
      dead = true;
    });
    for (;;) {
      const status = this.#statusFile();
      if (status?.ready === true) {
        this.#postmaster = status.pid;
        return;
      }
      if (isTrue(dead)) throw new Error(`server ${this.name} did not start: ${this.#logTail()}`);
      if (performance.now() > deadline) {
        keeper.stdin?.destroy();
        throw new Error(
          `server ${this.name} was not ready in ${START_LIMIT_MS.toString()} ms: ${this.#logTail()}`,
        );
      }
      await sleep(15);
    }
  }

  /** Ends the server: `fast` rolls back and checkpoints, `immediate` leaves it to recover at the next start. */
  async stop(options: { readonly mode?: 'fast' | 'immediate' } = {}): Promise<void> {
    const pid = this.#postmaster;
    if (pid === undefined) return;
    await this.#endWith(() => {
      signalTree([pid], options.mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
      signalTree(treeOf(pid), 'SIGCONT');
    });
  }

  /** SIGKILL to the postmaster and every process of it, as a crash of the machine would do. */
  async kill(): Promise<void> {
    const pid = this.#postmaster;
    if (pid === undefined) return;
    const tree = treeOf(pid);
    await this.#endWith(() => {
      signalTree(tree, 'SIGKILL');
    });
    // A session that was being born is not in the list; it ends by itself once it sees that the postmaster is gone.
    while (tree.some(isRunning)) await sleep(10);
  }

  /** Stops and starts on the same port with the same data. */
  async restart(options: { readonly mode?: 'fast' | 'immediate' } = {}): Promise<void> {
    await this.stop(options);
    await this.start();
  }

  /** Stops every process of the server in its tracks (SIGSTOP): connections stay open and nothing answers. */
  pause(): void {
    if (this.#postmaster === undefined) throw new Error(`server ${this.name} is not running`);
    // The postmaster first, so that no session is born while the others are being stopped.
    signalTree([this.#postmaster], 'SIGSTOP');
    signalTree(treeOf(this.#postmaster), 'SIGSTOP');
  }

  /** Lets a paused server go on. */
  resume(): void {
    if (this.#postmaster === undefined) throw new Error(`server ${this.name} is not running`);
    signalTree(treeOf(this.#postmaster), 'SIGCONT');
  }

  /** Ends the server at once and removes its folder. */
  async remove(): Promise<void> {
    await this.stop({ mode: 'immediate' });
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #endWith(act: () => void): Promise<void> {
    const keeper = this.#keeper;
    if (keeper === undefined) return;
    const ended = new Promise<void>((resolve) =>
      keeper.once('exit', () => {
        resolve();
      }),
    );
    act();
    const late = new AbortController();
    try {
      await Promise.race([
        ended,
        sleep(STOP_LIMIT_MS, undefined, { signal: late.signal }).then(() => {
          throw new Error(
            `server ${this.name} did not end in ${STOP_LIMIT_MS.toString()} ms: ${this.#logTail()}`,
          );
        }),
      ]);
    } finally {
      late.abort();
    }
    keeper.stdin?.destroy();
  }

  /** The postmaster writes its state into the eighth line of its pid file. */
  #statusFile(): { pid: number; ready: boolean } | undefined {
    try {
      const lines = readFileSync(path.join(this.dataFolder, 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Number(lines[0]), ready: lines[7]?.startsWith('ready') === true };
    } catch {
      return undefined;
    }
  }

  #logTail(): string {
    return readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-5).join(' | ');
  }
}

/** Makes a new cluster with a superuser `postgres` and starts it. Takes one to two seconds. */
export async function startServer(options: ServerOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const bin = findBinaries(options.binaries ?? 18, account);
  if (account !== undefined && !othersCanEnter(options.folder)) {
    throw new Error(`the account ${account.name} cannot enter ${options.folder}: give a folder below /tmp`);
  }
  const folder = path.join(path.resolve(options.folder), options.name);
  mkdirSync(path.dirname(folder), { recursive: true });
  mkdirSync(folder, { mode: 0o700 });
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const address = { host: '127.0.0.1', port: 0, user: 'postgres', password: randomBytes(12).toString('hex') };
  try {
    const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
    await makeCluster(path.join(folder, 'data'), address.password, { bin, account, locale });
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      writeSettings(folder, { ...options, port });
      const server = new PostgresServer(options, { ...address, port }, folder, bin, account);
      try {
        await server.start();
        return server;
      } catch (cause) {
        // Between the search and the start another process may have taken the port.
        if (attempt === 3 || !readFileSync(server.logFile, 'utf8').includes('could not bind')) throw cause;
      }
    }
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw cause;
  }
}

/** Keeps the compiler from narrowing a flag that another callback sets. */
function isTrue(flag: boolean): boolean {
  return flag;
}
