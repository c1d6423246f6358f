import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresAddress, Session } from '../connection.ts';
import { PostgresFailure, redact } from '../failures.ts';

const run = promisify(execFile);

/** A pg_dump of the machine, with its major; undefined when `path` is not one. */
export async function nativePgDump(
  path: string | undefined,
): Promise<{ readonly path: string; readonly major: number } | undefined> {
  if (path === undefined) return undefined;
  const said = await run(path, ['--version']).catch(() => undefined);
  const major = /PostgreSQL\) (\d+)/.exec(said?.stdout ?? '')?.[1];
  return major === undefined ? undefined : { path, major: Number(major) };
}

/** The password goes through a file that only we can read, never through arguments or the environment. */
export async function runNativePgDump(
  path: string,
  address: PostgresAddress,
  session: Session,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-dump-'));
  try {
    const passwords = join(folder, 'passwords');
    const escaped = (address.password ?? '').replaceAll('\\', '\\\\').replaceAll(':', '\\:');
    await writeFile(passwords, `*:*:*:*:${escaped}\n`, { mode: 0o600 });
    const ca = join(folder, 'ca.pem');
    if (address.caPem !== undefined) await writeFile(ca, address.caPem);
    const { stdout } = await run(path, [...args, '--no-password'], {
      env: {
        PGHOST: address.host,
        PGPORT: String(address.port),
        PGUSER: address.user,
        PGDATABASE: session.database,
        PGPASSFILE: passwords,
        PGSSLMODE: address.tls,
        PGAPPNAME: 'pg_dump',
        ...(address.caPem === undefined ? {} : { PGSSLROOTCERT: ca }),
      },
      maxBuffer: 1024 ** 3,
      ...(signal === undefined ? {} : { signal }),
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new PostgresFailure(
      {
        code: 'schema-dump-failed',
        sentence: `pg_dump could not read the schema of "${session.database}" at ${session.server}: ${redact(said.replaceAll(/\s+/g, ' ')).slice(0, 1500)}`,
        cure: 'See the words of pg_dump; a lock that is held for long or a dropped object passes on a retry.',
      },
      'retry',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
