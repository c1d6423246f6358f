import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../cloud-error.ts';

/** How far each mapping has read each shard, kept in one file: a restarted cloud goes on where it stopped. */
export interface Checkpoints {
  read(mapping: string, shardId: string): string | undefined;
  /** Takes effect at once; the file follows shortly after. */
  write(mapping: string, shardId: string, sequence: string): void;
  /** Resolves once the file is up to date. */
  flush(): Promise<void>;
}

const WRITE_DELAY_MS = 100;

/** Opens the file; a missing file holds no checkpoint. */
export async function openCheckpoints(file: string): Promise<Checkpoints> {
  const known = new Map(Object.entries(await load(file)));
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function save(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(async () => {
      await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries(known)));
      await rename(`${file}.new`, file);
    });
    return writing;
  }

  return {
    read: (mapping, shardId) => known.get(`${mapping} ${shardId}`),
    write: (mapping, shardId, sequence) => {
      known.set(`${mapping} ${shardId}`, sequence);
      timer ??= setTimeout(() => void save(), WRITE_DELAY_MS);
    },
    flush: save,
  };
}

async function load(file: string): Promise<Record<string, string>> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw error;
  }
}
