/**
 * Twelve live databases leave a failing host, through the real pipeline:
 *
 *     npm start                  shows it, then stays up until Ctrl-C
 *     npm start -- --once        ends when it is over, with status 0 if all moved and nothing was lost
 *     npm start -- --json        the last line is the outcome as JSON
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../cli/installation.ts';
import { renderBatch } from '../../cli/render-batch.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { styled } from '../../cli/text.ts';
import { watchBatch } from '../../cli/watch-batch.ts';
import { CloudError } from '../cloud-error.ts';
import { startConsole } from '../console/console.ts';
import type { ConsoleServer } from '../console/server.ts';
import { Scene } from './scene.ts';
import { Stopwatch } from './stopwatch.ts';
import { isSuccess, outcomeOf, renderSummary } from './summary.ts';
import { twelveTenants } from './tenants.ts';
import type { WritersProcess } from './writers-process.ts';

const { values: options } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Of the tenants' sizes; 1 is about 300 MB in all. */
    scale: { type: 'string', default: '1' },
    /** The first so many of the twelve. */
    tenants: { type: 'string', default: '12' },
    /** Of each tenant. */
    writers: { type: 'string', default: '2' },
    /** Transactions a second of each writer. */
    rate: { type: 'string', default: '15' },
  },
});

/** How long, in milliseconds, the writers write before and after the moves. */
const LEAD_MS = 1_500;
/** A drain that takes longer than this is shown as it stands, and counts as failed. */
const DRAIN_LIMIT_MS = 15 * 60_000;

// With --json standard output is for programs: people's lines go to the other stream.
const terminal = createTerminal({
  stdout: options.json ? process.stderr : process.stdout,
  stderr: process.stderr,
  env: process.env,
});
const staysUp = process.stdout.isTTY && !options.once && !options.json;

const interruption = new AbortController();
const { signal: interrupted } = interruption;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Whoever asks twice does not want to wait; everything that was started ends with this process anyway.
    if (interrupted.aborted) process.exit(130);
    interruption.abort(new Error(`interrupted by ${name}`));
  });
}

process.exitCode = await run();

async function run(): Promise<number> {
  const tenants = twelveTenants(Number(options.scale)).slice(0, Number(options.tenants));
  if (tenants.length === 0) throw new RangeError('--tenants takes a number from 1 to 12');
  headline(
    `Raising the stage: the embedded cloud, three PostgreSQL hosts, ${String(tenants.length)} tenants`,
  );
  const scene = await Scene.set({
    tenants,
    writersPerTenant: Number(options.writers),
    rate: Number(options.rate),
    traces: true,
    say: (line) => {
      terminal.line(styled('faint', `  ${line}`));
    },
  });
  let page: ConsoleServer | undefined;
  try {
    if (staysUp) page = await openConsole(scene);
    const success = await drain(scene);
    if (staysUp) await stayUp(scene);
    return success ? 0 : 1;
  } catch (error) {
    if (!interrupted.aborted) throw error;
    return 130;
  } finally {
    await page?.stop();
    await scene.strike();
  }
}

/** What is shown does not depend on it: where there is none, that is said. */
async function openConsole({ cloud }: Scene): Promise<ConsoleServer | undefined> {
  try {
    const page = await startConsole({ root: projectRoot, cloud });
    headline(`To watch it in a browser: ${page.url}`);
    terminal.line(`  by command: export ${stateVariable(cloud.stateDir)}; npx dray batch list`);
    return page;
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    terminal.line(styled('bad', `  There is no console: ${error.message}`));
    return undefined;
  }
}

async function drain(scene: Scene): Promise<boolean> {
  const [host] = scene.servers;
  if (host === undefined) throw new Error('there is no host');
  const writers = await scene.startWriters();
  await untilAllWrite(writers, scene.tenants.length);
  await sleep(LEAD_MS, undefined, { signal: interrupted });

  headline(
    `${String(scene.tenants.length)} tenants write; ${host.name} is failing: publishing host.draining to SNS`,
  );
  const since = performance.timeOrigin + performance.now();
  const batch = await scene.fleet.drain(host.name, `a disk of ${host.name} reports errors`);
  const stopwatch = new Stopwatch();
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(DRAIN_LIMIT_MS)]);
  const last = await renderBatch(
    stopwatch.watch(watchBatch(scene.fleet.services, batch, { signal })),
    terminal,
  );
  interrupted.throwIfAborted();
  if (last === undefined) throw new Error(`the batch ${batch} is not there`);
  const seconds = ((last.batch.endedAt ?? last.at) - since) / 1_000;

  await sleep(LEAD_MS, undefined, { signal: interrupted });
  headline("Checking every writer's history, every table that nobody writes to, every catalog");
  const results = await scene.check(last, since);
  const outcome = outcomeOf(last, results, seconds);
  for (const line of renderSummary(results, outcome, (move) => stopwatch.seconds(move))) terminal.line(line);
  if (options.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  return isSuccess(results, scene.tenants.length);
}

/** Each of them has committed something. */
async function untilAllWrite(writers: WritersProcess, tenants: number): Promise<void> {
  while (writers.tally().filter(({ lines }) => lines > 0).length < tenants) {
    interrupted.throwIfAborted();
    await sleep(50);
  }
}

async function stayUp(scene: Scene): Promise<void> {
  // Where the shop is now is up to the planner; a drained host takes nothing.
  const here = (await scene.fleet.placement('shop'))?.host ?? '';
  const there = scene.servers.map(({ name }) => name).find((name, at) => at > 0 && name !== here) ?? '';
  terminal.line();
  headline('Everything is still up. In another terminal:');
  for (const command of [
    `export ${stateVariable(scene.cloud.stateDir)}`,
    'npx dray endpoint show shop',
    'npx dray trace shop',
    `npx dray move shop --to ${there} --wait`,
    `npx dray drain ${here} --reason "new hardware" --wait`,
    'eval "$(npx dray env)"   # for the AWS command line, SDKs, and',
    'curl -H "x-api-key: $DRAY_API_KEY" "$DRAY_API_URL/endpoints/shop"',
  ]) {
    terminal.line(`  ${command}`);
  }
  terminal.line('Ctrl-C ends everything.');
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => {
      resolve();
    });
  });
}

/** By which dray finds the cloud of this run. */
function stateVariable(stateDir: string): string {
  return `DRAY_STATE_DIR=${stateDir}`;
}

function headline(text: string): void {
  terminal.line(styled('strong', text));
}
