/** The ways of copying a database that Drayage is measured against; none of them lets anybody write meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { PostgresServer } from '../local/demo/servers.ts';
import { findProgram, run } from './programs.ts';

/** Where Debian keeps the programs of a major version. */
export const debianBin = (major: number): string => `/usr/lib/postgresql/${major.toString()}/bin`;

export interface OfflineCopy {
  readonly name: string;
  /** Copies `database` into a new database `copy` of the target. @returns seconds */
  run(source: PostgresServer, target: PostgresServer, database: string, copy: string): Promise<number>;
}

/** `pg_dump -Fd -Z0 -j2`, then `pg_restore -j2`. @param scratch where the archive lies meanwhile */
export function dumpAndRestore(major: number, scratch: string): OfflineCopy {
  const cure = `apt-get install postgresql-client-${major.toString()}`;
  const dump = findProgram('pg_dump', cure, [debianBin(major)]);
  const restore = findProgram('pg_restore', cure, [debianBin(major)]);
  return {
    name: 'pg_dump -Fd -Z0 -j2 | pg_restore -j2',
    run: async (source, target, database, copy) => {
      const folder = mkdtempSync(path.join(scratch, 'drayage-dump-'));
      try {
        const begun = performance.now();
        await target.query(`CREATE DATABASE ${copy}`);
        const archive = path.join(folder, 'archive');
        await run(dump, ['-Fd', '-Z0', '-j2', '-f', archive, '-d', source.url(database)]);
        await run(restore, ['-j2', '-d', target.url(copy), archive]);
        return (performance.now() - begun) / 1000;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** `pgcopydb clone` with two jobs for tables and two for indexes. @param scratch where it keeps its work */
export function pgcopydbClone(major: number, scratch: string): OfflineCopy {
  const program = findProgram('pgcopydb', 'apt-get install pgcopydb');
  return {
    name: 'pgcopydb clone',
    run: async (source, target, database, copy) => {
      const folder = mkdtempSync(path.join(scratch, 'drayage-pgcopydb-'));
      try {
        const begun = performance.now();
        await target.query(`CREATE DATABASE ${copy}`);
        await run(
          program,
          [
            ...['clone', '--source', source.url(database), '--target', target.url(copy)],
            ...['--table-jobs', '2', '--index-jobs', '2', '--dir', path.join(folder, 'work')],
          ],
          { PATH: `${debianBin(major)}${path.delimiter}${process.env['PATH'] ?? ''}` },
        );
        return (performance.now() - begun) / 1000;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
