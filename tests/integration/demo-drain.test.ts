import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { openChromium } from '../support/chromium.ts';
import { DemoOnTerminal } from '../support/demo-on-terminal.ts';
import { giveCommand } from '../support/person-at-console.ts';

/** For whatever goes through functions and queues. */
const soon = { timeout: 120_000 };
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

let demo: DemoOnTerminal | undefined;

beforeAll(() => {
  chmodSync(folder, 0o755);
});
afterAll(async () => {
  // Of a test that ran out of time it is still there.
  await demo?.interrupt();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** As many writers as databases, and no more of the cores for them than the moves need. */
const few = ['--writers', '1', '--rate', '5'];

/** A `dray` or a `curl` as a newcomer types it, behind what the terminal has told to export. */
async function shell(stateDir: string, line: string): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const dray = fileURLToPath(new URL('../../cli/dray.ts', import.meta.url));
  const script = `set -e; npx() { shift; '${process.execPath}' '${dray}' "$@"; }; ${line}`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    env: { ...env, DRAY_STATE_DIR: stateDir },
  });
  return stdout;
}

const explanation = z.object({
  subject: z.string(),
  sentence: z.string(),
  blockers: z.array(z.object({ kind: z.string(), code: z.string(), on: z.string(), moves: z.int() })),
});

interface Told {
  readonly span: z.output<typeof toldSpan>;
  readonly parts: readonly Told[];
}
const toldSpan = z.object({
  trace: z.string(),
  span: z.string(),
  name: z.string(),
  facts: z.record(z.string(), z.unknown()),
  links: z.array(z.object({ trace: z.string(), span: z.string() })),
});
const toldTree: z.ZodType<Told> = z.object({
  span: toldSpan,
  get parts() {
    return z.array(toldTree);
  },
});
const traceReport = z.object({ trace: z.string(), spans: z.array(toldTree) });

/** What `dray trace` tells of a batch once its end has been told, and the last of those who worked on it have ended. */
async function traceOf(stateDir: string, batch: string): Promise<z.output<typeof traceReport>> {
  for (;;) {
    const report = traceReport.parse(JSON.parse(await shell(stateDir, `npx dray trace ${batch} --json`)));
    const [root] = report.spans;
    if (report.spans.length === 1 && root?.parts.some(({ span }) => span.name === 'batch') === true)
      return report;
    await sleep(500);
  }
}

describe('the first command of the README, with small databases and few writers', () => {
  test('moves all twelve away, while a newcomer looks on, pauses and resumes it, and asks why something waits', async () => {
    demo = new DemoOnTerminal(['--scale', '0.02', ...few], folder);
    let browser: Browser | undefined;
    let ended: number | null = null;
    try {
      browser = await openChromium();
      const page = await demo.until(/To watch it in a browser: (http:\S+)/);
      const stateDir = await demo.until(/export DRAY_STATE_DIR=([^;\s]+)/);
      const tab = await browser.newPage();
      await tab.goto(page);
      await tab.getByRole('link', { name: 'a disk of host-a reports errors' }).click(soon);
      await giveCommand(tab, 'Pause', 'the payroll runs', soon.timeout);
      await tab.keyboard.press('Escape');
      const [, batch = ''] = /#\/batches\/(bt_[0-9a-z]{20})/.exec(tab.url()) ?? [];
      await tab.getByText(/running, paused/).waitFor(soon);

      // One of those that wait, in the console.
      const why = tab.locator('li', { hasText: `the end of the pause of batch ${batch}` }).first();
      await why.waitFor(soon);
      await why.getByRole('link', { name: /^mv_/ }).first().click();
      const panel = tab.getByRole('region', { name: 'Why it waits' });
      await panel.getByText(`the end of the pause of batch ${batch}`).waitFor(soon);
      const [, move = ''] = /#\/moves\/(mv_[0-9a-z]{16})/.exec(tab.url()) ?? [];

      // The same by dray.
      const told = explanation.parse(JSON.parse(await shell(stateDir, `npx dray explain ${move} --json`)));
      expect(told.blockers).toMatchObject([{ kind: 'waiting', code: 'paused', moves: 1 }]);
      const [{ on } = { on: '' }] = told.blockers;
      expect(on).toMatch(new RegExp(`^the end of the pause of batch ${batch}, paused .*the payroll runs`));
      expect(await panel.innerText()).toContain(on);

      // The same by curl, with the key that dray prints.
      const ask = async (path: string): Promise<unknown> => {
        const curl = `curl -fsS -H "x-api-key: $DRAY_API_KEY" "$DRAY_API_URL${path}"`;
        return JSON.parse(await shell(stateDir, `eval "$(npx dray env)"; ${curl}`));
      };
      expect(explanation.parse(await ask(`/moves/${move}/explanation`))).toEqual(told);
      expect(await ask(`/moves/${move}`)).toMatchObject({ move, batch, source: 'host-a' });
      expect(await ask(`/batches/${batch}`)).toMatchObject({
        batch,
        state: 'running',
        reason: 'a disk of host-a reports errors',
        paused: { reason: 'the payroll runs', by: expect.stringMatching(/^\/api-keys\//) },
      });

      await tab.goto(`${page}#/batches/${batch}`);
      await giveCommand(tab, 'Resume', 'the payroll is done', soon.timeout);
      await tab.keyboard.press('Escape');
      await tab.getByText(/completed: 12 of 12 endpoints moved/).waitFor({ timeout: 300_000 });

      await demo.until(/Everything is still up/);
      expect(demo.shown).toMatch(/host-a is failing/);
      expect(demo.shown).toMatch(/12 of 12 moved, .* MB in/);
      expect(demo.shown).toMatch(/[1-9]\d+ acknowledged writes: 0 lost, 0 duplicated, 0 reordered/);
      // All of it is one trace: spans, what was sent on the way, and what was logged.
      const { trace, spans } = await traceOf(stateDir, batch);
      expect(trace).toContain(batch.slice(3));
      expect(spans.map(({ span }) => span.name)).toEqual(['request host.draining']);
      const [whole] = spans.flatMap(({ parts }) => parts.filter(({ span }) => span.name === 'batch'));
      const ofMoves = whole?.parts.filter(({ span }) => span.name === 'move') ?? [];
      expect(ofMoves.map(({ span }) => span.facts['drayage.outcome'])).toEqual(ofMoves.map(() => 'moved'));
      expect(ofMoves).toHaveLength(12);
      for (const { parts } of ofMoves) {
        const works = parts.filter(({ span }) => span.name.startsWith('work'));
        const steps = works.flatMap((work) => work.parts.map(({ span }) => span.name));
        expect(steps).toEqual(expect.arrayContaining(['preflight', 'copy', 'verify', 'freeze', 'activate']));
        expect(works.flatMap(({ span }) => span.links.map((link) => link.trace))).toContain(trace);
      }
      const logs = path.join(stateDir, 'logs');
      const logged = readdirSync(logs).filter((name) =>
        readFileSync(path.join(logs, name), 'utf8').includes(trace),
      );
      for (const part of ['react-to-host-change', 'dispatch-moves', 'spans'])
        expect(logged.join()).toContain(part);

      expect(JSON.parse(await shell(stateDir, 'npx dray endpoint show shop --json'))).toMatchObject({
        endpoint: 'shop',
        host: expect.stringMatching(/^host-[bc]$/),
        state: 'serving',
      });
    } finally {
      await browser?.close();
      ended = await demo.interrupt();
    }
    expect(ended).toBe(0);
    expect(processesLeft()).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('drayage-demo-'))).toEqual([]);
  }, 600_000);

  test('tells programs the outcome by its last line, and leaves nothing behind', async () => {
    const { status, lines, told } = await run('--json', '--scale', '0.02', '--tenants', '2', ...few);
    const last = outcome.parse(JSON.parse(lines.at(-1) ?? ''));
    expect(told).toContain('host-a is failing');
    expect(last).toMatchObject({
      state: 'completed',
      moves: { total: 2, moved: 2, rolledBack: 0, stuck: 0 },
      writes: { lost: 0, duplicated: 0, reordered: 0 },
    });
    expect(last.writes.acknowledged).toBeGreaterThan(2);
    expect(last.pauseMs.max).toBeGreaterThanOrEqual(last.pauseMs.p50);
    expect(status).toBe(0);
    expect(processesLeft()).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('drayage-demo-'))).toEqual([]);
  }, 400_000);

  test('leaves no process behind when it is killed in the middle', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(process.execPath, [main, '--json', '--scale', '0', '--tenants', '2', ...few], {
      env: { ...env, TMPDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        told += chunk.toString();
        if (/transferring: (?:provision|copy|catch-up|verify)/.test(told)) resolve();
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
