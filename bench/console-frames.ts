/**
 * What the console's picture of a fleet costs the browser: fifty hosts, 5,000 endpoints, 200 of them travelling at
 * once. An API that answers from memory stands in for the real one: what is measured is the page.
 *
 *     node bench/console-frames.ts [--hosts 50] [--endpoints 5000] [--travelling 200] [--seconds 10] [--json]
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { builtConsole } from '../local/console/build.ts';
import { serveConsole } from '../local/console/server.ts';
import { freePort } from '../local/servers/ports.ts';
import { openChromium } from '../tests/support/chromium.ts';
import { projectRoot } from '../cli/installation.ts';

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '50' },
    endpoints: { type: 'string', default: '5000' },
    travelling: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    picture: { type: 'string' },
  },
});
const count = {
  hosts: Number(options.hosts),
  endpoints: Number(options.endpoints),
  travelling: Number(options.travelling),
};
const batch = 'bt_00000000000000000001';
const host = (at: number): string => `host-${String((at % count.hosts) + 1).padStart(2, '0')}`;
const endpoint = (at: number): string => `tenant-${String(at).padStart(5, '0')}`;
const now = Date.now();

/** Every second look the travellers are others: the page has to draw the fleet anew. */
let look = 0;
const travellers = (): number[] =>
  Array.from(
    { length: count.travelling },
    (_, at) => (at * 23 + Math.floor(look / 2) * count.travelling) % count.endpoints,
  );

function answer(path: string, query: URLSearchParams): unknown {
  const [, kind, id, list] = path.split('/');
  if (kind === 'hosts' && id === undefined) {
    look += 1;
    return {
      hosts: Array.from({ length: count.hosts }, (_, at) => ({
        host: host(at),
        driver: 'simulated',
        zone: `zone-${String((at % 3) + 1)}`,
        clientAddress: '10.0.0.1:5432',
        capacityBytes: 400e9,
        intent: { value: at === 3 ? 'draining' : 'active', reason: 'registered', sequence: 1 },
        signals: {},
        movesOut: 10,
        movesIn: 10,
      })),
    };
  }
  if (kind === 'hosts' && list === 'endpoints') {
    const endpoints = Array.from({ length: count.endpoints }, (_, at) => at).filter((at) => host(at) === id);
    return {
      endpoints: endpoints.map((at) => ({
        endpoint: endpoint(at),
        epoch: 1,
        database: endpoint(at),
        driver: 'simulated',
        sizeBytes: 2e8 + ((at * 7_919) % 97) * 6e7,
      })),
    };
  }
  if (kind === 'batches' && id === undefined) {
    const moves = { total: count.endpoints, waiting: 1_000, transferring: count.travelling, moved: 500 };
    return { batches: [{ batch, state: 'running', reason: 'new hardware', createdAt: now, moves }] };
  }
  const state = query.get('state');
  const chosen =
    state === 'transferring'
      ? travellers()
      : Array.from({ length: 1_000 }, (_, at) => (at * 5 + 3) % count.endpoints);
  return {
    moves: chosen.map((at) => ({
      move: `mv_${String(at).padStart(16, '0')}`,
      endpoint: endpoint(at),
      state,
      source: host(at),
      target: host(at + 7),
    })),
  };
}

const measured = z.object({ gaps: z.array(z.number()), tasks: z.array(z.number()) });

/** For the page: the time between frames, and every task that kept it from drawing for 50 ms or more. */
const measuring = (ms: number): string => `new Promise((resolve) => {
  const gaps = [];
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  }).observe({ type: 'longtask' });
  const begun = performance.now();
  let last = begun;
  const frame = (at) => {
    gaps.push(at - last);
    last = at;
    if (at - begun < ${String(ms)}) requestAnimationFrame(frame);
    else resolve({ gaps: gaps.slice(1), tasks });
  };
  requestAnimationFrame(frame);
})`;

const api = createServer((incoming, outgoing) => {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'x-api-key',
    'access-control-max-age': '3600',
  });
  outgoing.end(incoming.method === 'OPTIONS' ? '' : JSON.stringify(answer(url.pathname, url.searchParams)));
});
const [apiPort, port] = [await freePort(), await freePort()];
await new Promise<void>((resolve) => api.listen(apiPort, '127.0.0.1', resolve));
const page = await serveConsole({
  folder: await builtConsole(projectRoot),
  port,
  api: { url: `http://127.0.0.1:${String(apiPort)}`, key: 'in-memory' },
});
const browser = await openChromium();
try {
  const tab = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
  await tab.goto(page.url);
  await tab
    .getByText('5,000 endpoints')
    .or(tab.getByRole('img', { name: /hosts with/ }))
    .first()
    .waitFor();
  await tab.waitForTimeout(5_000);
  const frames = measured.parse(await tab.evaluate(measuring(Number(options.seconds) * 1_000)));
  if (options.picture !== undefined) await tab.screenshot({ path: options.picture, fullPage: true });
  const sorted = frames.gaps.toSorted((one, other) => one - other);
  const at = (share: number): number =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  const report = {
    ...count,
    frames: sorted.length,
    betweenFramesMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    longTasks: { count: frames.tasks.length, longestMs: Math.round(Math.max(0, ...frames.tasks)) },
  };
  console.log(options.json ? JSON.stringify(report) : report);
} finally {
  await browser.close();
  await page.stop();
  api.closeAllConnections();
  api.close();
}
