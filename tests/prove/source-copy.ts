import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { withoutEnforcement, type Removal } from './removal.ts';

export const root = resolve(import.meta.dirname, '../..');

/** What is made by tools, or is history. */
const leftOut = new Set(['node_modules', '.git', '.serverless', '.esbuild', '.drayage', 'coverage']);

/**
 * A copy of the sources in a temporary folder, in which enforcements can be taken away: the checkout is never
 * touched, and the product has no seam for it.
 */
export class SourceCopy {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<SourceCopy> {
    const folder = join(await mkdtemp(join(tmpdir(), 'drayage-prove-')), 'sources');
    const filter = (path: string): boolean => !leftOut.has(relative(root, path));
    await cp(root, folder, { recursive: true, filter });
    await symlink(await realpath(join(root, 'node_modules')), join(folder, 'node_modules'));
    return new SourceCopy(folder);
  }

  /** Runs `work` while the enforcement is missing, and puts it back. */
  async without<T>(removal: Removal, work: () => Promise<T>): Promise<T> {
    const path = join(this.folder, removal.file);
    const text = await readFile(path, 'utf8');
    await writeFile(path, withoutEnforcement(removal, text));
    try {
      return await work();
    } finally {
      await writeFile(path, text);
    }
  }

  async remove(): Promise<void> {
    await rm(dirname(this.folder), { recursive: true, force: true });
  }
}

/** The text of a file of the checkout. */
export async function sourceText(file: string): Promise<string> {
  return await readFile(join(root, file), 'utf8');
}
