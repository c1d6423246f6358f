import { connect, serverName } from '../connection.ts';
import type { PostgresAddress } from '../connection.ts';
import { PostgresFailure } from '../failures.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { runBundledPgDump } from './bridge.ts';
import { nativePgDump, runNativePgDump } from './native.ts';
import { classify } from './statements.ts';
import type { ClassifyOptions, Statement } from './statements.ts';

/** The newest major that the bundled pg_dump reads. */
export const bundledMajor = 18;

export interface DumpOptions extends ClassifyOptions {
  readonly database: string;
  readonly applicationName: string;
  /** Schemas of ours: left out. */
  readonly excludeSchemas?: readonly string[];
  /** A native pg_dump to prefer if it is new enough: its path, or `pg_dump` to look on the PATH. */
  readonly nativePgDump?: string;
  readonly signal?: AbortSignal;
}

/**
 * The whole schema of a database as pg_dump writes it, in a consistent snapshot: SQL text, without roles,
 * database settings, subscriptions and rows. Takes ACCESS SHARE locks on all tables while it reads.
 * @throws PostgresFailure `server-too-new`, `schema-dump-failed`, and those of `connect`
 */
export async function dumpSchemaText(address: PostgresAddress, options: DumpOptions): Promise<string> {
  const args = [
    '--schema-only',
    '--encoding=UTF8',
    '--no-subscriptions',
    '--lock-wait-timeout=10000',
    ...(options.excludeSchemas ?? []).map((schema) => `--exclude-schema=${quoteIdentifier(schema)}`),
  ];
  const session = await connect(address, {
    database: options.database,
    applicationName: options.applicationName,
    lockTimeoutMs: 10_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  try {
    const native = await nativePgDump(options.nativePgDump);
    if (native !== undefined && native.major >= session.major) {
      return withoutMetaCommands(await runNativePgDump(native.path, address, session, args, options.signal));
    }
    if (session.major > bundledMajor) throw serverTooNew(address, session.major);
    return withoutMetaCommands(await runBundledPgDump(session, args));
  } finally {
    await session.close();
  }
}

/** `dumpSchemaText`, cut and sorted into sections. */
export async function dumpSchema(address: PostgresAddress, options: DumpOptions): Promise<Statement[]> {
  return classify(await dumpSchemaText(address, options), options);
}

/** psql's own commands, which a server does not know; at the start of the text only, never inside a body. */
function withoutMetaCommands(dump: string): string {
  const firstStatement = dump.search(/^(SET|SELECT) /m);
  const header = dump.slice(0, Math.max(firstStatement, 0)).replaceAll(/^\\(un)?restrict .*$/gm, '');
  const body = dump.slice(Math.max(firstStatement, 0)).replace(/\n\\unrestrict \S+\s*$/, '\n');
  return header + body.replace(/^SET transaction_timeout = 0;\n/m, '');
}

function serverTooNew(address: PostgresAddress, major: number): PostgresFailure {
  return new PostgresFailure(
    {
      code: 'server-too-new',
      sentence: `${serverName(address)} is PostgreSQL ${String(major)}; the newest that can be read is ${String(bundledMajor)}.`,
      cure: `Install pg_dump ${String(major)} where the mover runs and name it, or wait for a release that knows it.`,
    },
    'fail',
  );
}
