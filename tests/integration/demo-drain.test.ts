import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

const main = fileURLToPath(new URL('../../local/demo/main.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'drayage-drain-'));

/** The shape that README promises of the last line with --json. */
const outcome = z.strictObject({
  batch: z.string().regex(/^bt_[0-9a-z]{20}$/),
  state: z.string(),
  moves: z.strictObject({ total: z.number(), moved: z.number(), rolledBack: z.number(), stuck: z.number() }),
  writes: z.strictObject({
    acknowledged: z.number(),
    lost: z.number(),
    duplicated: z.number(),
    reordered: z.number(),
  }),
  pauseMs: z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() }),
  bytes: z.number(),
  seconds: z.number(),
});

interface Run {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly told: string;
}

function run(...options: readonly string[]): Promise<Run> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...options], {
    env: { ...env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status, lines: output.trim().split('\n'), told });
    });
  });
}

/** Command lines of processes that have to do with our folder. */
function processesLeft(): string[] {
  try {
    return execFileSync('pgrep', ['-f', folder], { encoding: 'utf8' }).trim().split('\n');
  } catch {
    // pgrep ends with 1 when it finds none.
    return [];
  }
}

beforeAll(() => {
  chmodSync(folder, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** As many writers as databases, and no more of the cores for them than the moves need. */
const few = ['--writers', '1', '--rate', '5'];

describe('the first command of the README, with small databases and few writers', () => {
  test('moves all twelve away from the failing host, loses nothing, and leaves nothing behind', async () => {
    const { status, lines, told } = await run('--json', '--scale', '0.02', ...few);
    const last = outcome.parse(JSON.parse(lines.at(-1) ?? ''));
    expect(told).toContain('host-a is failing');
    expect(last).toMatchObject({
      state: 'completed',
      moves: { total: 12, moved: 12, rolledBack: 0, stuck: 0 },
      writes: { lost: 0, duplicated: 0, reordered: 0 },
    });
    expect(last.writes.acknowledged).toBeGreaterThan(12);
    expect(last.pauseMs.max).toBeGreaterThanOrEqual(last.pauseMs.p50);
    expect(status).toBe(0);
    expect(processesLeft()).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('drayage-demo-'))).toEqual([]);
  }, 400_000);

  test('leaves no process behind when it is killed in the middle', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(process.execPath, [main, '--json', '--scale', '0', ...few], {
      env: { ...env, TMPDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes('transferring: copy')) resolve();
      });
      child.once('exit', () => {
        reject(new Error(`it ended by itself: ${told}`));
      });
    });
    const before = processesLeft();
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    // The postmasters of three servers and those who keep them, at least.
    expect(before.length).toBeGreaterThanOrEqual(9);
    while (processesLeft().length > 0) await sleep(100);
  }, 400_000);
});
