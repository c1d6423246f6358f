import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../cloud-error.ts';

/** What the package is made of, relative to the project: a change of any of these makes a new package. */
export const PACKAGE_SOURCES = [
  'serverless.yml',
  'package-lock.json',
  'functions',
  'resources',
  'shared',
] as const;

async function filesBelow(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return [path];
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A digest of the contents of everything that goes into the package, of the stage and its parameters. */
export async function digestSources(
  root: string,
  stage: string,
  params: Readonly<Record<string, string>>,
): Promise<string> {
  const files = (await Promise.all(PACKAGE_SOURCES.map((source) => filesBelow(join(root, source)))))
    .flat()
    .sort();
  const hash = createHash('sha256').update(`1 ${stage} ${JSON.stringify(params)}\n`);
  for (const file of files) {
    hash.update(`${file.slice(root.length)}\n`);
    hash.update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}
