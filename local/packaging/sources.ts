import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../cloud-error.ts';

/** What the package is made of, relative to the project: a change of any of these makes a new package. */
export const PACKAGE_SOURCES = [
  'serverless.yml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
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

/** Digests of what goes into a package. */
export interface SourceDigests {
  /** Of the contents of everything, of the stage and its parameters. */
  readonly package: string;
  /** Of the contents alone: functions' bundles are the same for every stage. */
  readonly bundles: string;
}

export async function digestSources(
  root: string,
  stage: string,
  params: Readonly<Record<string, string>>,
): Promise<SourceDigests> {
  const files = (await Promise.all(PACKAGE_SOURCES.map((source) => filesBelow(join(root, source)))))
    .flat()
    .sort();
  const contents = createHash('sha256');
  for (const file of files) {
    contents.update(`${file.slice(root.length)}\n`);
    contents.update(await readFile(file));
  }
  const bundles = contents.digest('hex').slice(0, 16);
  const made = createHash('sha256').update(`2 ${stage} ${JSON.stringify(params)}\n${bundles}`);
  return { package: made.digest('hex').slice(0, 16), bundles };
}
