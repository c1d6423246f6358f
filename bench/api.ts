/**
 * Measures reads of the status API while a fleet moves, each beside the same read through a function:
 *
 *     node bench/api.ts [--endpoints 1000] [--hosts 8] [--json]
 *
 * Both go to the same table at the same time. The function is asked as the embedded cloud asks all of its functions, in
 * a warm environment of its own, and without the HTTP hop that API Gateway would add in front of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { startCloud, type Cloud } from '../local/cloud.ts';
import { FunctionPool } from '../local/lambda/function-pool.ts';
import { makeFleet, type Fleet } from '../local/simulated/fleet.ts';
import { startSimulatedServer } from '../local/simulated/server.ts';
import { moveAll, register } from './fleet-course.ts';
import { FleetOperator } from './fleet-operator.ts';
import { median, percentile } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '1000' },
    hosts: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** Milliseconds between two pairs of reads. */
const restMs = 50;
const patience = { minutes: 30 };

const folder = await mkdtemp(join(tmpdir(), 'drayage-api-'));
const hosts = await startSimulatedServer();
let cloud: Cloud | undefined;
let operator: FleetOperator | undefined;
let pool: FunctionPool | undefined;
try {
  cloud = await startCloud({
    root: resolve(import.meta.dirname, '..'),
    stateDir: join(folder, 'cloud'),
    onNotice: say,
  });
  operator = new FleetOperator(cloud);
  pool = await readerPool(cloud, folder);
  const spec = { hosts: Number(options.hosts), endpoints: Number(options.endpoints) };
  const fleet = makeFleet(
    hosts.network,
    { ...spec, onHosts: Math.ceil(spec.hosts / 2), behaviour: { slots: 10, workers: 10 } },
    Date.now(),
  );
  await register(operator, hosts, fleet, patience, say);
  const idle = await readsUntil(cloud, pool, fleet, sleep(10_000));
  const moving = await readsUntil(cloud, pool, fleet, moveAll(operator, fleet, patience, say));
  const figures = { endpoints: spec.endpoints, idle: figuresOf(idle), moving: figuresOf(moving) };
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else {
    for (const when of ['idle', 'moving'] as const) {
      const { reads, api, fn, ratio } = figures[when];
      const of = ({ p50, p99 }: Times): string => `p50 ${String(p50)} ms, p99 ${String(p99)} ms`;
      process.stdout.write(
        `${when.padEnd(7)} ${String(reads)} reads each: API ${of(api)}; function ${of(fn)}; median ratio ${String(ratio)}\n`,
      );
    }
  }
} finally {
  pool?.stop();
  operator?.close();
  await cloud?.stop();
  await hosts.close();
  await rm(folder, { recursive: true, force: true });
}

interface Reads {
  readonly api: number[];
  readonly fn: number[];
}

/** Reads by turns, first the one and then the other, until something else is done. */
async function readsUntil(
  cloud: Cloud,
  pool: FunctionPool,
  fleet: Fleet,
  done: Promise<unknown>,
): Promise<Reads> {
  const reads: Reads = { api: [], fn: [] };
  const over = new AbortController();
  const ended = done.finally(() => {
    over.abort();
  });
  for (let nth = 0; !over.signal.aborted; nth += 1) {
    const { name } = fleet.endpoints[(nth * 37) % fleet.endpoints.length] ?? { name: '' };
    const ways = [
      async () => reads.api.push(await timeOf(() => readByApi(cloud, name))),
      async () => reads.fn.push(await timeOf(() => readByFunction(pool, name))),
    ];
    for (const way of nth % 2 === 0 ? ways : ways.toReversed()) await way();
    await sleep(restMs);
  }
  await ended;
  return reads;
}

async function timeOf(read: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await read();
  return performance.now() - began;
}

async function readByApi({ api }: Cloud, name: string): Promise<void> {
  if (api === undefined) throw new Error('the template has no API');
  const answer = await fetch(`${api.url}/endpoints/${name}`, { headers: { 'x-api-key': api.key } });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${String(answer.status)}: ${text}`);
}

async function readByFunction(pool: FunctionPool, name: string): Promise<void> {
  const invocation = await pool.invoke(JSON.stringify({ id: name }));
  if (invocation.outcome !== 'succeeded') throw new Error(invocation.error);
}

interface Times {
  readonly p50: number;
  readonly p99: number;
}

function figuresOf({ api, fn }: Reads) {
  const tenths = (ms: number): number => Math.round(ms * 10) / 10;
  const times = (all: readonly number[]): Times => ({
    p50: tenths(median(all)),
    p99: tenths(percentile(all, 0.99)),
  });
  const pairs = Math.min(api.length, fn.length);
  const ratios = Array.from({ length: pairs }, (_, nth) => (api[nth] ?? NaN) / (fn[nth] ?? NaN));
  return { reads: pairs, api: times(api), fn: times(fn), ratio: Math.round(median(ratios) * 100) / 100 };
}

/** The reader as the embedded cloud runs functions: bundled, in a process that is stopped while it is idle. */
async function readerPool({ env, outputs }: Cloud, into: string): Promise<FunctionPool> {
  const codeDir = join(into, 'reader');
  await build({
    entryPoints: [fileURLToPath(new URL('api-reader.ts', import.meta.url))],
    outfile: join(codeDir, 'reader.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return new FunctionPool(
    {
      logicalId: 'Reader',
      name: 'reader',
      arn: 'arn:aws:lambda:local:000000000000:function:reader',
      handler: 'reader.handler',
      codeDir,
      codeDigest: 'reader',
      runtime: 'nodejs24.x',
      memoryMb: 512,
      timeoutMs: 30_000,
      reservedConcurrency: undefined,
      environment: { TABLE_NAME: outputs['TableName'] ?? '' },
    },
    {
      bootstrap: fileURLToPath(new URL('../local/lambda/bootstrap.ts', import.meta.url)),
      shared: env,
      overriding: {},
      defaultConcurrency: 4,
      idleLimitMs: 600_000,
      onLine: (_, line) => {
        say(line);
      },
    },
  );
}
