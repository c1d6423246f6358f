import { createRequire } from 'node:module';
import { MessageChannel, Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Session } from '../connection.ts';
import { PostgresFailure, redact } from '../failures.ts';
import type { Wire } from '../wire.ts';
import { workerSource } from './worker-source.ts';

const fromWorker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('request'), bytes: z.instanceof(Uint8Array) }),
  z.object({ kind: z.literal('done'), text: z.string() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

/** What a server tells its client when a session starts, as far as pg_dump cares. */
const reported = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'integer_datetimes',
  'standard_conforming_strings',
  'is_superuser',
  'session_authorization',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
];

/**
 * Runs the pg_dump that `@electric-sql/pglite-tools` ships as WebAssembly (major 18; it reads every server
 * that is not newer) over an authenticated session, and returns what it wrote. It knows nothing of networks,
 * TLS or passwords: those are the session's. The session is left inside pg_dump's read-only transaction:
 * use one of its own and close it.
 *
 * To ship in a bundle, nothing has to be marked: there is no import of the package. Its files
 * `node_modules/@electric-sql/pglite-tools/{package.json,dist/pg_dump.cjs,dist/pg_dump.wasm}` have to lie
 * in `node_modules` beside or above the bundle.
 *
 * @throws PostgresFailure `schema-dump-failed` with the words of pg_dump, `pg-dump-missing`
 */
export async function runBundledPgDump(session: Session, args: readonly string[]): Promise<string> {
  const parameters: [string, string][] = [];
  const settings = await session.query(
    `SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.unnest($1::text[]) AS name`,
    [reported],
    z.object({ name: z.string(), value: z.string() }),
  );
  for (const { name, value } of settings) parameters.push([name, value]);
  const pgDump = locatePgDump();
  const { port1, port2 } = new MessageChannel();
  const bell = new SharedArrayBuffer(4);
  const wire = await session.wire();
  const worker = new Worker(workerSource, {
    eval: true,
    workerData: { port: port2, bell, args, parameters, pgDump },
    transferList: [port2],
    // Neither flags nor variables of the process: a flag could make an ES module of the text.
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      const answer = (bytes: Uint8Array): void => {
        port1.postMessage({ kind: 'answer', bytes });
        Atomics.store(new Int32Array(bell), 0, 1);
        Atomics.notify(new Int32Array(bell), 0);
      };
      const answers = collectAnswers(wire, answer);
      port1.on('message', (message: unknown) => {
        const parsed = fromWorker.parse(message);
        if (parsed.kind === 'request') answers.expect(parsed.bytes);
        else if (parsed.kind === 'done') resolve(parsed.text);
        else reject(dumpFailure(session, parsed.message));
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        reject(dumpFailure(session, 'its thread ended'));
      });
      wire.lost.catch(reject);
    });
  } catch (error) {
    throw session.failure(error);
  } finally {
    port1.close();
    await worker.terminate();
    // The session stands in a transaction of pg_dump, whose settings nobody else should inherit.
    session.destroy();
  }
}

function locatePgDump(): string {
  // Not a `require` in the eyes of a bundler: the package stays where it is.
  const here = createRequire(import.meta.url);
  try {
    return here.resolve('@electric-sql/pglite-tools/pg_dump');
  } catch {
    throw new PostgresFailure(
      {
        code: 'pg-dump-missing',
        sentence: 'The package @electric-sql/pglite-tools, which holds pg_dump, is not installed.',
        cure: 'Run npm ci; in a deployed function, add its files to package.patterns.',
      },
      'fail',
    );
  }
}

/** Gathers what the server sends until it is ready for the next query, then hands it over in one piece. */
function collectAnswers(
  wire: Wire,
  answer: (bytes: Uint8Array) => void,
): { expect(request: Uint8Array): void } {
  let chunks: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let readies = 0;
  wire.receive((chunk) => {
    chunks.push(chunk);
    let view = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (view.length >= 5) {
      const size = 1 + view.readUInt32BE(1);
      if (view.length < size) break;
      if (view[0] === 0x5a) readies -= 1;
      view = view.subarray(size);
    }
    rest = view;
    if (readies > 0 || rest.length > 0) return;
    const whole = Buffer.concat(chunks);
    chunks = [];
    answer(whole);
  });
  return {
    expect(request) {
      readies = countRequests(request);
      wire.write(request);
    },
  };
}

/** Each Query and each Sync is answered by one ReadyForQuery. */
function countRequests(request: Uint8Array): number {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  let count = 0;
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    if (bytes[at] === 0x51 || bytes[at] === 0x53) count += 1;
  }
  return count;
}

function dumpFailure(session: Session, said: string): PostgresFailure {
  // The thread has no program file of its own, which pg_dump mentions.
  const own = said.replaceAll(/could not find a "\[worker eval\]" to execute|\[worker eval\]: /g, '');
  const words = redact(own.replaceAll(/\s+/g, ' ')).slice(0, 1500);
  const privilege = words.includes('permission denied');
  return new PostgresFailure(
    {
      code: 'schema-dump-failed',
      sentence: `pg_dump could not read the schema of "${session.database}" at ${session.server}: ${words}`,
      cure: privilege
        ? 'Grant the mover what is named, or membership in the role that owns the database.'
        : 'See the words of pg_dump; a lock that is held for long or a dropped object passes on a retry.',
    },
    privilege ? 'fail' : 'retry',
  );
}
