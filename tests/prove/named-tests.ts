import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { CALL_LOG_FOLDER } from '../../local/servers/call-log.ts';

/** How a named test ended. `absent`: it did not run at all. */
export interface TestEnd {
  readonly verdict: 'passed' | 'failed' | 'absent';
  /** The first line of why. */
  readonly said: string;
}

const report = z.object({
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

/** No named test takes half as long, also when it fails. */
const patienceMs = 180_000;

/** Runs tests of one file by their whole names, with the command that runs all others. */
export async function runNamedTests(
  folder: string,
  file: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TestEnd>> {
  const out = await mkdtemp(join(tmpdir(), 'drayage-prove-report-'));
  const outputFile = join(out, 'report.json');
  try {
    const spoken = await run(folder, signal, [
      '--runTestsByPath',
      file,
      '--testNamePattern',
      `^(${names.map(literally).join('|')})$`,
      '--json',
      `--outputFile=${outputFile}`,
      `--cacheDirectory=${join(folder, '../cache')}`,
      '--silent',
    ]);
    const text = await readFile(outputFile, 'utf8').catch(() => undefined);
    return text === undefined
      ? new Map(names.map((name) => [name, { verdict: 'absent', said: spoken.slice(-500) }]))
      : readReport(text, names);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function readReport(text: string, names: readonly string[]): ReadonlyMap<string, TestEnd> {
  const { testResults } = report.parse(JSON.parse(text));
  const found = new Map(
    testResults.flatMap(({ assertionResults }) =>
      assertionResults.map((one) => [one.fullName, one] as const),
    ),
  );
  const suite = plain(testResults.map(({ message }) => message).join('\n'));
  return new Map(
    names.map((name): [string, TestEnd] => {
      const one = found.get(name);
      if (one?.status === 'passed') return [name, { verdict: 'passed', said: '' }];
      if (one?.status === 'failed')
        return [name, { verdict: 'failed', said: firstLines(one.failureMessages) }];
      return [name, { verdict: 'absent', said: suite.trim().slice(0, 500) }];
    }),
  );
}

async function run(folder: string, signal: AbortSignal, args: readonly string[]): Promise<string> {
  // What a removal makes of the product is not to be noted as the product's own.
  const { [CALL_LOG_FOLDER]: _, ...env } = process.env;
  const child = spawn(process.execPath, ['tests/run.ts', ...args], {
    cwd: folder,
    // Also those that are not for every day.
    env: { ...env, DRAYAGE_TESTS: 'all' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
    signal,
  });
  let spoken = '';
  const hear = (chunk: Buffer): void => {
    spoken = (spoken + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      resolve();
    });
  });
  return plain(spoken);
}

function firstLines(messages: readonly string[]): string {
  const lines = plain(messages.join('\n'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  return lines.slice(0, 4).join(' ').slice(0, 200);
}

const escape = String.fromCharCode(27);
const colours = new RegExp(`${escape}\\[[0-9;]*m`, 'g');
const plain = (text: string): string => text.replace(colours, '');

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
