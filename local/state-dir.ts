import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CloudError, codeOf } from './cloud-error.ts';
import { tryLock, waitForLock, type ExclusiveLock } from './exclusive-lock.ts';

/** Everything that the cloud keeps, below one folder. */
export interface StateDir {
  readonly path: string;
  readonly messaging: string;
  readonly dynamo: string;
  readonly secrets: string;
  readonly apiKeys: string;
  readonly checkpoints: string;
  readonly temporary: string;
  /** A log file in `logs/`, appended to; a large one is set aside first. */
  openLog(name: string): Promise<WriteStream>;
  /** Removes tables, messages, objects and read positions; secrets, keys, logs and the last addresses stay. */
  forget(): Promise<void>;
}

/** Where a stage of an API is, and a key that opens it. */
export const apiAddress = z.object({ url: z.string(), key: z.string() });
export type ApiAddress = z.infer<typeof apiAddress>;

const recordSchema = z.object({
  pid: z.number(),
  startedAt: z.string(),
  stage: z.string(),
  gatewayPort: z.number(),
  messagingPort: z.number(),
  /** Absent in what an earlier release wrote. */
  apiPort: z.number().optional(),
  /** Variables that make any AWS SDK, and the AWS CLI, talk to this cloud. */
  env: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.string()),
  /** The status API, and a key to it. */
  api: apiAddress.optional(),
});

/** What a running cloud writes down of itself in its state folder. */
export type CloudRecord = z.infer<typeof recordSchema>;

const RECORD = 'cloud.json';
const LOCK = 'lock.db';
const LOOK_MS = 300;
const LARGE_LOG = 20 * 1024 * 1024;

/** Creates the folder where needed, readable by its owner only, and takes its lock. */
export async function openStateDir(path: string): Promise<{ dir: StateDir; lock: ExclusiveLock }> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  // Whoever only looks whether a cloud runs here holds the lock for a moment.
  const lock = await waitForLock(join(path, LOCK), LOOK_MS);
  if (lock === undefined) {
    const holder = await readRecord(path);
    const who = holder === undefined ? 'Another cloud' : `The cloud with process ${String(holder.pid)}`;
    throw new CloudError(
      'CloudAlreadyRunning',
      `${who} runs on the state folder ${path}: stop it, or choose another folder.`,
    );
  }
  for (const folder of ['logs', 'tmp']) await mkdir(join(path, folder), { recursive: true });
  return {
    lock,
    dir: {
      path,
      messaging: join(path, 'messaging'),
      dynamo: join(path, 'dynamo'),
      secrets: join(path, 'secrets.json'),
      apiKeys: join(path, 'api-keys.json'),
      checkpoints: join(path, 'checkpoints.json'),
      temporary: join(path, 'tmp'),
      openLog: async (name) => {
        const file = join(path, 'logs', `${name}.log`);
        if ((await sizeOf(file)) > LARGE_LOG) await rename(file, `${file}.1`);
        return createWriteStream(file, { flags: 'a' });
      },
      forget: async () => {
        for (const name of ['messaging', 'dynamo', 'checkpoints.json']) {
          await rm(join(path, name), { recursive: true, force: true });
        }
      },
    },
  };
}

/** Writes down how the running cloud is reached. */
export async function writeRecord(path: string, record: CloudRecord): Promise<void> {
  const file = join(path, RECORD);
  await writeFile(`${file}.new`, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** What the last cloud on this folder wrote down; it may have ended since. */
export async function readRecord(path: string): Promise<CloudRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(path, RECORD), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof z.ZodError || error instanceof SyntaxError)
      return undefined;
    throw error;
  }
}

/** The cloud that runs on this folder now, started by whatever process; nothing when there is none. */
export async function findCloud(path: string): Promise<CloudRecord | undefined> {
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const lock = tryLock(join(path, LOCK));
  if (lock === undefined) return record;
  lock.release();
  return undefined;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
