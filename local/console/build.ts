import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CloudError, messageOf } from '../cloud-error.ts';

/** What the console is made of: its own files, what it takes from others, and the versions of packages. */
const sources = [
  'web',
  'shared/domain',
  'shared/contracts/api',
  'shared/workflow/move-endpoint',
  'cli',
  'package.json',
];

/**
 * The console's built files, made now unless they were made before from the same sources: a second or two.
 * @param root the folder of the project
 * @returns the folder that has them
 * @throws CloudError `ConsoleNotBuilt`
 */
export async function builtConsole(
  root: string,
  onNotice: (text: string) => void = () => undefined,
): Promise<string> {
  try {
    return await keptOrBuilt(root, onNotice);
  } catch (error) {
    throw new CloudError('ConsoleNotBuilt', `The console could not be built: ${messageOf(error)}`);
  }
}

async function keptOrBuilt(root: string, onNotice: (text: string) => void): Promise<string> {
  const kept = join(root, 'node_modules', '.cache', 'drayage-console');
  const folder = join(kept, await hashOf(root));
  if (existsSync(folder)) return folder;
  onNotice('building the console …');
  await mkdir(kept, { recursive: true });
  const making = `${folder}.${String(process.pid)}`;
  try {
    await build(root, making);
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Somebody else was quicker.
    if (!existsSync(folder)) throw error;
  }
  for (const name of await readdir(kept)) {
    if (!folder.endsWith(name.split('.')[0] ?? ''))
      await rm(join(kept, name), { recursive: true, force: true });
  }
  return folder;
}

async function build(root: string, into: string): Promise<void> {
  const require = createRequire(join(root, 'package.json'));
  const vite = join(dirname(require.resolve('vite/package.json')), 'bin', 'vite.js');
  await new Promise<void>((resolve, reject) => {
    const args = [vite, 'build', 'web', '--outDir', into, '--emptyOutDir', '--logLevel', 'error'];
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${stdout}${stderr}`.trim() || error.message));
    });
  });
}

async function hashOf(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of await filesOf(join(root, source)))
      hash.update(file.slice(root.length)).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (/\.\w+$/.test(path)) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(path, 'dist')))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
