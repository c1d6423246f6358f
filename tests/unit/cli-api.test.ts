import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createApiCaller } from '../../cli/api/caller.ts';
import { routeOf } from '../../cli/api/route-of.ts';
import { Turns } from '../../cli/api/turns.ts';
import { main } from '../../cli/main.ts';
import { commands } from '../../resources/contracts/commands.ts';
import { hostInList } from '../../shared/contracts/api/hosts.ts';
import { eventOf } from '../../shared/contracts/api/posting.ts';
import { problems, type ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { Captured } from '../support/captured-terminal.ts';
import { listenOnLoopback } from '../support/loopback.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

async function serving(answer: Answering): Promise<string> {
  const server = createServer(answer);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String(await listenOnLoopback(server))}/local`;
}

function saying(response: ServerResponse, code: ProblemCode): void {
  const { status, sentence, cure } = problems[code];
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'urn:x', title: sentence, status, code, cure }));
}

async function dray(url: string, argv: readonly string[], env: Record<string, string> = {}) {
  const [stdout, stderr] = [new Captured(), new Captured()];
  const code = await main({
    argv,
    env: { DRAY_API_URL: url, DRAY_API_KEY: 'a key', ...env },
    stdin: Readable.from([]),
    stdout,
    stderr,
    onInterrupt: () => () => undefined,
  });
  return { code, out: stdout.text, err: stderr.text };
}

/** Nobody waits: what is slept through is written down. */
function hurriedClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
    every: () => () => undefined,
  };
}

describe('what an event is by the API', () => {
  const names: Readonly<Record<string, string>> = {
    batches: `bt_${'0'.repeat(20)}`,
    moves: `mv_${'0'.repeat(16)}`,
    hosts: 'a',
    endpoints: 'shop',
  };
  const singular: Readonly<Record<string, string>> = {
    batches: 'batch',
    moves: 'move',
    hosts: 'host',
    endpoints: 'endpoint',
  };
  const said = { reason: 'a disk' };
  interface Posted {
    readonly to: string;
    readonly type: string;
    readonly data: JsonObject;
  }
  const all = commands.flatMap(({ path, posting: { type } }): Posted[] => {
    const kind = path.split('/')[1] ?? '';
    if (typeof type === 'string') return [{ to: path, type, data: said }];
    return Object.entries(type).map(([verb, of]) => ({
      to: `/${kind}/${names[kind] ?? ''}/${verb}`,
      type: of,
      data: {
        ...said,
        [singular[kind] ?? '']: names[kind] ?? '',
        ...(of === 'command.requested' ? { verb } : {}),
      },
    }));
  });

  test.each(all)('$type is posted to $to, where the same event is made of it', ({ to, type, data }) => {
    const route = routeOf(type, data);
    expect(route).toEqual({ path: to, body: said });
    const { text } = eventOf({
      ...{ source: '/api-keys/k', id: '1', type, receivedAt: 0, to },
      body: JSON.stringify(route?.body),
    });
    expect(JSON.parse(text)).toMatchObject({ type, data });
  });

  test('what the API has no route for is posted nowhere', () => {
    const reason = 'x';
    expect(routeOf('command.requested', { verb: 'pause', all: true, reason })).toBeUndefined();
    expect(
      routeOf('command.requested', { verb: 'withdraw', batch: 'bt_1', endpoint: 'shop', reason }),
    ).toBeUndefined();
    expect(routeOf('knob.set', { knob: 'movesInAll', value: 1, reason })).toBeUndefined();
    expect(routeOf('host.registered', { name: 'a', reason })).toBeUndefined();
  });
});

describe('dray by the API', () => {
  test('sends its key, and asks until the last page', async () => {
    const asked: string[] = [];
    const url = await serving((request, response) => {
      asked.push(`${request.url ?? ''} ${String(request.headers['x-api-key'])}`);
      const isFirst = asked.length === 1;
      response.end(JSON.stringify({ batches: [], ...(isFirst ? { next: 'abc' } : {}) }));
    });
    expect(await dray(url, ['batch', 'list', '--json'])).toEqual({
      code: 0,
      out: '{"batches":[]}\n',
      err: '',
    });
    expect(asked).toEqual(['/local/batches?limit=500 a key', '/local/batches?limit=500&page=abc a key']);
  });

  test.each([
    ['api-key-refused', 'set DRAY_API_KEY to a key of this stage'],
    ['route-unknown', 'see whether DRAY_API_URL is the whole address'],
    ['api-failed', 'Ask again: every route is safe to repeat'],
  ] as const)('says what, why and what next: %s', async (code, cure) => {
    const url = await serving((_, response) => {
      saying(response, code);
    });
    const told = await dray(url, ['host', 'list']);
    expect([told.code, told.out]).toEqual([1, '']);
    expect(told.err).toContain(`error ${code}: ${problems[code].sentence}`);
    expect(told.err).toContain(`what next: ${cure}`);
    const { code: exit, out } = await dray(url, ['host', 'list', '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code, sentence: problems[code].sentence } });
  });

  test('says so when something else answers at the address', async () => {
    const url = await serving((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<h1>Not here</h1>');
    });
    expect((await dray(url, ['batch', 'list'])).err).toContain('error api-unexpected');
    const other = await serving((_, response) => {
      response.end('{"batches":[{"batch":7}]}');
    });
    expect((await dray(other, ['batch', 'list'])).err).toContain('error answer-unreadable');
  });

  test('says that a request was refused in the words of any request that is', async () => {
    const url = await serving((request, response) => {
      if (request.method === 'POST') saying(response, 'request-id-reused');
      else response.end('{}');
    });
    const { code, out } = await dray(url, ['move', 'shop', '--to', 'b', '--request-id', 'once', '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([
      1,
      { request: 'once', outcome: 'refused', code: 'request-id-reused', cure: expect.any(String) },
    ]);
  });

  test.each([
    [['host', 'add', 'c', '--url', 'simulated://x', '--driver', 'simulated'], 'no route for host.registered'],
    [['host', 'add', 'c', '--url', 'postgres://u:p@h/d'], 'no names of the parts of an installation'],
    [['pause', '--all', '--reason', 'x'], 'no route for this command'],
    [['knob', 'movesInAll', '5', '--reason', 'x'], 'no route for knob.set'],
    [['refusals'], 'no list of refusals'],
    [['notifications'], 'no list of what people were told'],
    [['dead-letters', 'list'], 'no way to the queues'],
    [['env'], 'no names of the parts of an installation'],
  ])('says what it cannot do, and the cure: dray %j', async (argv, what) => {
    const url = await serving((_, response) => {
      saying(response, 'api-failed');
    });
    const told = await dray(url, argv);
    expect([told.code, told.out]).toEqual([1, '']);
    expect(told.err).toContain(`error api-cannot: The status API has ${what}`);
    expect(told.err).toContain('what next: ask the installation itself: dray --stage <name>');
  });

  test('wants address and key, and an address that is one', async () => {
    expect((await dray('', ['host', 'list'])).err).toContain('DRAY_API_URL is missing');
    expect(await dray('prod', ['host', 'list'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('api-url-invalid'),
    });
  });
});

describe('a question that is not answered', () => {
  test('is asked again with growing waits, as often as that is worth it', async () => {
    let asked = 0;
    const url = await serving((_, response) => {
      asked += 1;
      if (asked < 3) saying(response, asked === 1 ? 'rate-exceeded' : 'store-busy');
      else response.end('{"hosts":[]}');
    });
    const clock = hurriedClock();
    const caller = createApiCaller({ url, key: 'k' }, clock);
    expect(await caller.page('/hosts', 'hosts', hostInList)).toEqual({ items: [] });
    expect(clock.slept).toEqual([250, 500]);
  });

  test('ends with what is the matter', async () => {
    const url = await serving((_, response) => {
      saying(response, 'rate-exceeded');
    });
    const busy = createApiCaller({ url, key: 'k' }, hurriedClock());
    await expect(busy.page('/hosts', 'hosts', hostInList)).rejects.toMatchObject({
      refusal: { code: 'rate-exceeded', cure: expect.stringContaining('whoever else uses this key') },
    });
    const clock = hurriedClock();
    const away = createApiCaller({ url: 'http://127.0.0.1:9/local', key: 'k' }, clock);
    await expect(away.find('/hosts/a', hostInList)).rejects.toMatchObject({
      refusal: { code: 'api-away', sentence: expect.stringContaining('127.0.0.1:9 does not answer') },
    });
    expect(clock.slept).toEqual([250, 500, 1_000, 2_000, 4_000]);
  });
});

test('questions leave room in the usage plan: a burst, then so many a second', async () => {
  const clock = hurriedClock();
  const turns = new Turns(clock);
  let most = 0;
  let now = 0;
  await Promise.all(
    Array.from({ length: 300 }, async () =>
      turns.take(async () => {
        now += 1;
        most = Math.max(most, now);
        await Promise.resolve();
        now -= 1;
      }),
    ),
  );
  expect(most).toBeLessThanOrEqual(8);
  expect(clock.now()).toBeGreaterThanOrEqual(3_900);
  expect(clock.now()).toBeLessThanOrEqual(5_000);
});
