import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { PACKAGE_SOURCES } from '../../local/packaging/sources.ts';
import { changesToCome, changeSources } from './changes-to-come.ts';

const root = resolve(import.meta.dirname, '../..');

/** The next release to deploy: with attributes of its own in rows, and a field of its own in messages. */
export async function nextReleaseSources(): Promise<string> {
  // Packages are kept by the folder's name: the same sources are packaged once.
  const folder = join(await mkdtemp(join(tmpdir(), 'drayage-next-')), 'next-release');
  for (const source of PACKAGE_SOURCES)
    await cp(join(root, source), join(folder, source), { recursive: true });
  await symlink(await realpath(join(root, 'node_modules')), join(folder, 'node_modules'));
  await changeSources(folder, [
    ...changesToCome,
    {
      file: 'shared/aws/bus.ts',
      from: 'async sendWork(message, afterMs) {',
      to: "async sendWork(plain, afterMs) { const message = { ...plain, trace: 'aa-1' };",
    },
  ]);
  return folder;
}

export async function removeSources(folder: string): Promise<void> {
  await rm(dirname(folder), { recursive: true, force: true });
}
