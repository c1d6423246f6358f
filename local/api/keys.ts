import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../cloud-error.ts';

/** The values of API keys by their names: made once for a state folder, readable by its owner only. */
export interface ApiKeys {
  /** The value of a key; a new one for a name that has none. */
  valueOf(name: string): Promise<string>;
}

const kept = z.record(z.string(), z.string().min(20));

export async function openApiKeys(file: string): Promise<ApiKeys> {
  const values = new Map(Object.entries(await read(file)));
  return {
    async valueOf(name) {
      const known = values.get(name);
      if (known !== undefined) return known;
      const made = randomBytes(30).toString('base64url');
      values.set(name, made);
      await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries(values)), { mode: 0o600 });
      await rename(`${file}.new`, file);
      return made;
    },
  };
}

async function read(file: string): Promise<Record<string, string>> {
  try {
    return kept.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw error;
  }
}
