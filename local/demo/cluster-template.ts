/** Clusters that have been made once, and of which new ones are copies. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Account } from './binaries.ts';
import { credentials, environment } from './cluster.ts';
import { renewSystemIdentifier } from './system-identifier.ts';

/** Server programs, who runs them, and the locale of what they make. */
export interface ClusterKind {
  readonly bin: string;
  readonly account: Account | undefined;
  readonly locale: string;
}

/**
 * Makes the files of a new cluster in `data`, which is not there yet, in UTF8, with a superuser `postgres` of this
 * password. initdb takes a CPU-second, a copy a quarter: so initdb is run once on a machine for each kind of cluster,
 * and what it has made stays in the temporary folder. What is copied is a cluster of its own to whoever asks its
 * system identifier or tries a password.
 */
export async function makeCluster(data: string, password: string, kind: ClusterKind): Promise<void> {
  await run('cp', ['-R', '-p', await templateOf(kind), data], kind.account);
  renewSystemIdentifier(data);
  const word = password.replaceAll("'", "''");
  const server = path.join(kind.bin, 'postgres');
  const alone = ['--single', '-F', '-j', '-D', data, 'postgres'];
  await run(server, alone, kind.account, `ALTER ROLE postgres PASSWORD '${word}';\n\n`);
}

async function templateOf(kind: ClusterKind): Promise<string> {
  const { bin, account, locale } = kind;
  const initdb = path.join(bin, 'initdb');
  const mark = createHash('sha256')
    .update([initdb, statSync(initdb).mtimeMs, account?.name ?? process.getuid?.(), locale].join(' '))
    .digest('hex');
  const template = path.join(tmpdir(), `drayage-cluster-${mark.slice(0, 12)}`);
  const data = path.join(template, 'data');
  if (existsSync(data)) return data;
  const partial = mkdtempSync(`${template}-`);
  try {
    // Nobody learns this password: each copy gets one of its own.
    const secret = path.join(partial, 'password');
    writeFileSync(secret, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (account !== undefined) {
      for (const file of [partial, secret]) chownSync(file, account.uid, account.gid);
    }
    const asked = ['--username=postgres', `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8'];
    await run(
      initdb,
      ['-D', path.join(partial, 'data'), ...asked, `--locale=${locale}`, '--no-sync'],
      account,
    );
    rmSync(secret);
    renameSync(partial, template);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(data)) throw cause;
  }
  return data;
}

async function run(
  program: string,
  options: readonly string[],
  account: Account | undefined,
  input = '',
): Promise<void> {
  const child = spawn(program, options, { cwd: '/', env: environment(), ...credentials(account) });
  let complaint = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  // A program that has ended early tells by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${path.basename(program)} failed: ${complaint.trim()}`);
}
