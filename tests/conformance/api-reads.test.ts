import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { batchAnswer, batchInList } from '../../shared/contracts/api/batches.ts';
import { fleetAnswer, scalingAnswer } from '../../shared/contracts/api/fleet.ts';
import { letterAnswer } from '../../shared/contracts/api/letters.ts';
import { endpointAnswer, endpointOnHost } from '../../shared/contracts/api/endpoints.ts';
import { page } from '../../shared/contracts/api/fields.ts';
import { hostAnswer, hostInList } from '../../shared/contracts/api/hosts.ts';
import { historyAnswer, moveAnswer, moveInHour, moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { problem } from '../../shared/contracts/api/problems.ts';
import { requestAnswer } from '../../shared/contracts/api/requests.ts';
import { freshFleet } from '../../shared/domain/fleet.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import { labelOf } from '../../shared/domain/move.ts';
import type { HistoryEntry } from '../../shared/ports/store.ts';
import { anyBatchId, anyMoveId } from '../support/arbitraries.ts';
import { sample, sampleOf } from '../support/samples.ts';
import { openTestApi, type TestApi } from '../support/test-api.ts';

/** Rows as wild as their types allow: quotes, line ends and templates in every text. */
const wild = 12;

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
}, 60_000);
afterAll(async () => {
  await api.close();
});

/** What the contract says, and nothing beside it. */
function read<T>(schema: z.ZodType<T>, answer: { readonly status: number; readonly body: unknown }): T {
  expect(answer).toMatchObject({ status: 200 });
  const parsed = schema.parse(answer.body);
  expect(answer.body).toEqual(parsed);
  return parsed;
}

const get = (path: string, query: Record<string, string> = {}) => api.ask('GET', path, { query });

/** Every page of a list, of so many each. */
async function every(path: string, field: string, item: z.ZodType, query: Record<string, string> = {}) {
  const found: unknown[] = [];
  let pages = 0;
  for (let next: string | undefined = ''; next !== undefined; pages += 1) {
    const answer = await get(path, { ...query, ...(next === '' ? {} : { page: next }) });
    const { [field]: items, next: more } = z
      .looseObject({ next: z.string().optional() })
      .parse(read(page(field, item), answer));
    found.push(...z.array(z.unknown()).parse(items));
    next = more;
  }
  return { found, pages };
}

describe('one row', () => {
  test('an endpoint: where it is', async () => {
    for (const placement of Array.from({ length: wild }, () => sample('endpoint'))) {
      await api.store.insert('endpoint', placement);
      const { endpoint, host, database, epoch, labels, arbitration, claim, sizeBytes } = placement;
      expect(read(endpointAnswer, await get(`/endpoints/${endpoint}`))).toMatchObject({
        ...{ endpoint, host, database, epoch, labels, sizeBytes },
        state: arbitration.kind,
        ...(claim === undefined ? {} : { move: claim.move }),
      });
    }
    // As it is now, also right behind a change.
    expect(api.asked.at(-1)?.body).toContain('"ConsistentRead": true');
  });

  test('a host, and nothing of how it is reached by those who move', async () => {
    for (const host of Array.from({ length: wild }, () => sample('host'))) {
      await api.store.insert('host', host);
      const answer = read(hostAnswer, await get(`/hosts/${host.name}`));
      const { name, driver, zone, clientAddress, intent, signals, reserved, labels, cleared } = host;
      expect(answer).toMatchObject({
        host: name,
        driver,
        zone,
        clientAddress,
        intent,
        reserved,
        labels,
        cleared,
      });
      expect(Object.keys(answer.signals)).toEqual(expect.arrayContaining(Object.keys(signals)));
      expect(answer.permitsOut ?? []).toEqual([...host.permitsOut].sort());
      expect(JSON.stringify(answer)).not.toContain(JSON.stringify(host.url).slice(1, -1) || 'nothing');
    }
  });

  test('a batch', async () => {
    for (const batch of Array.from({ length: wild }, () => sample('batch'))) {
      await api.store.insert('batch', batch);
      const { id, reason, state, policy, counts, requestSource, requestId, planned } = batch;
      expect(read(batchAnswer, await get(`/batches/${id}`))).toMatchObject({
        ...{ batch: id, reason, state, policy, requestSource, requestId, planned },
        moves: counts,
      });
    }
  });

  test('a move: what it does, and what its steps have left', async () => {
    for (const move of Array.from({ length: wild * 2 }, () => sample('move'))) {
      await api.store.insert('move', move);
      const { id, endpoint, source, target, why, execution } = move;
      const answer = read(moveAnswer, await get(`/moves/${id}`));
      expect(answer).toMatchObject({ move: id, endpoint, source, target, why, state: labelOf(execution) });
      expect(answer.results).toEqual(execution.results);
      expect(answer.timings).toEqual(execution.timings);
      expect(answer.status.state).toBe(execution.status.state);
      expect([answer.reasons, answer.joined]).toEqual([move.reasons, move.joined]);
      if ('reason' in execution.status)
        expect(answer.status.reason).toMatchObject({ code: execution.status.reason.code });
    }
  });

  test('what is set for the whole installation, also where nothing ever was', async () => {
    expect(read(fleetAnswer, await get('/fleet'))).toEqual({ ...freshFleet, version: 0 });
    const fleet = { ...sample('fleet'), throttle: { all: 7, zones: { 'a "zone"': 3 } } };
    await api.store.insert('fleet', fleet);
    const [held] = await api.store.loadMany('fleet', [{}]);
    expect(held).toBeDefined();
    expect(read(fleetAnswer, await get('/fleet'))).toEqual(held);
    expect(api.asked.at(-1)?.body).toContain('"ConsistentRead": true');
  });

  test('a request of the key that asks, and of no other', async () => {
    const source = (id: string): string => `/api-keys/${id}`;
    await get('/requests/none');
    const keyId = /"REQUEST#\/api-keys\/([^"]+)"/.exec(api.asked.at(-1)?.body ?? '')?.[1];
    for (const sampled of Array.from({ length: wild }, () => sample('request'))) {
      const request = { ...sampled, source: source(keyId ?? '') };
      await api.store.insert('request', request);
      const { outcome } = request;
      expect(read(requestAnswer, await get(`/requests/${request.id}`))).toMatchObject({
        request: request.id,
        state: outcome.kind === 'pending' ? 'waiting' : outcome.kind,
        // What is empty is left out where it may be missing.
        ...(outcome.kind === 'refused' && outcome.failure.code !== '' ? { code: outcome.failure.code } : {}),
      });
      await api.store.insert('request', { ...request, id: 'another', source: source('other') });
    }
    expect(await get('/requests/another')).toMatchObject({ status: 404, body: { code: 'request-unknown' } });
  });

  test.each([
    ['/endpoints/nobody', 'endpoint-unknown'],
    ['/hosts/nobody', 'host-unknown'],
    ['/batches/bt_00000000000000000000', 'batch-unknown'],
    ['/moves/mv_0000000000000000', 'move-unknown'],
    ['/requests/nothing', 'request-unknown'],
  ])('%s is %s, and says so as a problem', async (path, code) => {
    const answer = await get(path);
    expect(problem.parse(answer.body)).toMatchObject({ code, status: 404 });
    expect(answer).toMatchObject({ status: 404, headers: { 'Content-Type': 'application/problem+json' } });
  });
});

describe('lists', () => {
  test('of hosts, and of the endpoints of one, over many pages', async () => {
    const crowded = hostName('crowded.host');
    const placements = Array.from({ length: 7 }, (_, nth) => ({
      ...sample('endpoint'),
      endpoint: endpointName(`tenant-${String(nth)}`),
      host: crowded,
    }));
    for (const each of placements) await api.store.insert('endpoint', each);
    await api.store.insert('host', { ...sample('host'), name: crowded });
    const listed = await every('/hosts/crowded.host/endpoints', 'endpoints', endpointOnHost, { limit: '3' });
    expect(listed.pages).toBe(3);
    expect(listed.found).toMatchObject(
      placements.map(({ endpoint, epoch, sizeBytes, database }) => ({
        endpoint,
        epoch,
        sizeBytes,
        database,
      })),
    );
    const hosts = await every('/hosts', 'hosts', hostInList, { limit: '5' });
    expect(hosts.pages).toBeGreaterThan(1);
    expect(hosts.found).toContainEqual(expect.objectContaining({ host: crowded }));
    expect((await every('/hosts/nobody/endpoints', 'endpoints', endpointOnHost)).found).toEqual([]);
  });

  test('of batches, the newest first', async () => {
    const batches = Array.from({ length: 5 }, (_, nth) => ({
      ...sample('batch'),
      createdAt: 5_000_000_000_000 + nth,
    }));
    for (const each of batches) await api.store.insert('batch', each);
    const { found } = await every('/batches', 'batches', batchInList, { limit: '2' });
    expect(found.slice(0, 5)).toMatchObject(
      batches
        .toReversed()
        .map(({ id, reason, state, counts }) => ({ batch: id, reason, state, moves: counts })),
    );
  });

  test('of the moves of a batch, all or those of one state', async () => {
    const batch = sampleOf(anyBatchId);
    const moves = Array.from({ length: 9 }, (_, nth) => ({
      ...sample('move'),
      batch,
      endpoint: endpointName(`e${String(nth)}`),
    }));
    for (const move of moves) await api.store.insert('move', move);
    const expected = moves.map(({ id, endpoint, source, target, execution }) => ({
      ...{ move: id, endpoint, source, target },
      state: labelOf(execution),
    }));
    const { found } = await every(`/batches/${batch}/moves`, 'moves', moveOfBatch, { limit: '4' });
    expect(found).toHaveLength(9);
    expect(found).toEqual(expect.arrayContaining(expected));
    for (const state of new Set(expected.map((each) => each.state))) {
      const some = await every(`/batches/${batch}/moves`, 'moves', moveOfBatch, { limit: '1', state });
      expect(some.found).toHaveLength(expected.filter((each) => each.state === state).length);
    }
  });

  test('of the moves of an hour, across batches', async () => {
    const hour = Date.UTC(2031, 0, 31, 12);
    const moves = [0, 1, 3_599_999].map((after) => ({ ...sample('move'), createdAt: hour + after }));
    for (const move of moves) await api.store.insert('move', move);
    const expected = moves.map(({ id, batch, endpoint, createdAt }) => ({
      move: id,
      batch,
      endpoint,
      createdAt,
    }));
    for (const since of ['2031-01-31T12', '2031-01-31T12:30:00Z']) {
      const { found } = await every('/moves', 'moves', moveInHour, { since, limit: '1' });
      expect(found).toMatchObject(expected);
    }
    expect((await every('/moves', 'moves', moveInHour, { since: '2031-01-31T13' })).found).toEqual([]);
  });

  test('of the moves of an hour and of all that came since, whatever months and years are between', async () => {
    const eve = Date.UTC(1999, 11, 31, 22);
    const moves = [0, 7_199_999, 7_200_000, 14_400_000].map((after) => ({
      ...sample('move'),
      createdAt: eve + after,
    }));
    for (const move of moves) await api.store.insert('move', move);
    api.at = eve + 15_000_000;
    try {
      const { found, pages } = await every('/moves', 'moves', moveInHour, { since: '1999-12-31T22' });
      expect(found).toMatchObject(moves.map(({ id, createdAt }) => ({ move: id, createdAt })));
      expect(pages).toBe(5);
      const small = await every('/moves', 'moves', moveInHour, { since: '1999-12-31T22:30Z', limit: '1' });
      expect(small.found).toEqual(found);
      // What has not begun yet has no more behind it.
      expect((await every('/moves', 'moves', moveInHour, { since: '2000-01-01T05' })).pages).toBe(1);
      expect((await get('/moves', { since: '9999-12-31T23' })).body).toEqual({ moves: [] });
      expect((await get('/moves', { since: '1999-99-99T99' })).body).toEqual({ moves: [] });
    } finally {
      api.at = undefined;
    }
  });

  test('of moves, from hour to hour as the calendar has it', async () => {
    const next = async (hour: string): Promise<unknown> => {
      const { body } = await get('/moves', { since: hour });
      const { next: token } = z.object({ next: z.string() }).parse(body);
      return Buffer.from(token, 'base64url').toString();
    };
    for (const year of [1899, 1900, 1996, 1999, 2000, 2003, 2004, 2019, 2020, 2024, 2025]) {
      for (const [month, day] of [
        [1, 28],
        [1, 29],
        [2, 31],
        [3, 30],
        [8, 30],
        [9, 31],
        [11, 30],
        [11, 31],
      ] as const) {
        const at = Date.UTC(year, month, day, 23);
        const textOf = (time: number): string => new Date(time).toISOString().slice(0, 13);
        expect(await next(textOf(at))).toBe(textOf(at + 3_600_000));
      }
    }
  });

  test('of what the autoscaler has decided, whatever zones are called', async () => {
    const names = ['all', 'host/a', 'zone/a "b" \\c', 'zone/z', 'zone/ö/𝒳'];
    const scalers = names.map((target) => ({ ...sample('scaler'), target }));
    for (const each of scalers) await api.store.insert('scaler', each);
    const { found, pages } = await every('/scaling', 'targets', scalingAnswer, { limit: '1' });
    expect(pages).toBeGreaterThanOrEqual(names.length);
    expect(found).toEqual(
      scalers.map(({ target, dials, alarms, decisions }) => ({ target, permits: dials, alarms, decisions })),
    );
  });

  test('of the letters that nobody has acted on', async () => {
    const letter = (message: string) => ({ ...sample('letter'), message, setAside: true as const });
    const { deed: _, ...waits } = letter('00000000-waits');
    const { setAside: __, ...comesAgain } = letter('00000000-comes-again');
    const deed = { kind: 'discarded', by: '/ops', reason: 'old', at: 1 } as const;
    for (const each of [waits, comesAgain, { ...letter('00000000-done'), deed }])
      await api.store.insert('letter', each);
    const list = () => every('/dead-letters', 'letters', letterAnswer, { limit: '1' });
    const { message, queue, receives, at, failure } = waits;
    expect((await list()).found).toEqual([
      {
        letter: message,
        queue,
        attempts: receives,
        failedAt: at,
        ...(failure === undefined ? {} : { failure }),
      },
    ]);
    await api.store.commit('letter', waits, { ...waits, deed });
    expect((await list()).found).toEqual([]);
  });

  test('of what has happened to a move', async () => {
    const move = sampleOf(anyMoveId);
    const entries = [1, 2, 3, 4].map((version): HistoryEntry => ({
      ...{
        move,
        version,
        at: version,
        by: 'worker "1"',
        fact: 'step-finished',
        from: 'running',
        to: 'running',
      },
      ...(version === 2 ? { step: 'copy', ms: 1.5, note: "it's\n\u2028done" } : {}),
    }));
    await api.journal.append(entries);
    const { found } = await every(`/moves/${move}/history`, 'history', historyAnswer, { limit: '3' });
    expect(found).toEqual(entries.map(({ move: _, ...entry }) => entry));
  });
});

describe('what is hostile', () => {
  const injections = [
    '5,"TableName":"other"',
    '"}},"TableName":"other","x":{"y":{"S":"',
    "$util.base64Decode('eA==')",
    '#set($stageVariables.table="other")',
    '$stageVariables.table',
    '\\u0022',
    '../HOST#a',
    'a"b',
    'a\nb',
    '𝒳',
    '%00',
    'a'.repeat(3_000),
    '__proto__',
  ];
  const routes: readonly (readonly [path: string, parameters: readonly string[]])[] = [
    ['/hosts', ['limit', 'page']],
    ['/hosts/crowded.host/endpoints', ['limit', 'page']],
    ['/batches', ['limit', 'page']],
    ['/batches/bt_00000000000000000000/moves', ['limit', 'page', 'state']],
    ['/moves', ['limit', 'page', 'since']],
    ['/scaling', ['limit', 'page']],
    ['/dead-letters', ['limit', 'page']],
    ['/moves/mv_0000000000000000/history', ['limit', 'page']],
  ];

  test.each(routes)(
    'in a parameter of %s is refused, and changes nothing of what is asked',
    async (path, names) => {
      const sound = names.includes('since') ? { since: '2026-01-31T12' } : {};
      for (const name of names) {
        const texts = [...injections, '0', '501', '-1', '1e2', '1 ', 'AAAA', 'A', 'a/b='];
        // Whoever knows how tokens are made can make one of anything.
        const forged =
          name === 'page' ? injections.map((text) => Buffer.from(text).toString('base64url')) : [];
        for (const text of [...texts, ...forged]) {
          const answer = await get(path, { ...sound, [name]: text });
          expect({ text, status: answer.status, body: answer.body }).toMatchObject({
            status: 400,
            body: { code: 'parameter-invalid' },
          });
          expect(questionOf(api.asked.at(-1)?.body)).toEqual({
            TableName: 'drayage-api-test',
            refused: true,
          });
        }
      }
    },
  );

  test.each(['endpoints', 'hosts', 'batches', 'moves', 'requests'])(
    'in a name of %s finds nothing',
    async (kind) => {
      for (const text of injections.filter((each) => each.length < 3_000)) {
        const answer = await get(`/${kind}/${encodeURIComponent(text)}`);
        expect({ text, status: answer.status }).toEqual({
          text,
          // A name that can be one, and is none.
          status: 404,
        });
        expect(questionOf(api.asked.at(-1)?.body)).toEqual({ TableName: 'drayage-api-test', refused: false });
      }
    },
  );

  test('in a header of the name of a parameter is not looked at', async () => {
    const answer = await api.ask('GET', '/hosts', {
      headers: { limit: '1,"TableName":"other"', page: 'AAAA' },
    });
    expect(answer.status).toBe(200);
  });

  test('a token of another route leads nowhere', async () => {
    const token = Buffer.from('mv_0000000000000000 moved#shop').toString('base64url');
    expect(await get('/hosts', { page: token })).toMatchObject({ status: 400 });
  });

  const question = z.looseObject({ TableName: z.string(), KeyConditionExpression: z.string().optional() });
  const questionOf = (body: string | undefined) => {
    const { TableName, KeyConditionExpression } = question.parse(JSON.parse(body ?? ''));
    return { TableName, refused: KeyConditionExpression === 'refused' };
  };
});

describe('the door', () => {
  test('is closed without a key, and with another', async () => {
    for (const key of [undefined, '', 'another-key-of-more-than-twenty']) {
      const before = api.asked.length;
      const answer = await api.ask('GET', '/hosts', { key });
      expect(answer).toMatchObject({
        status: 403,
        body: { code: 'api-key-refused' },
        headers: { 'Content-Type': 'application/problem+json', 'Access-Control-Allow-Origin': '*' },
      });
      expect(api.asked).toHaveLength(before);
    }
  });

  test('says what routes there are not, and what a route needs', async () => {
    expect(await get('/nothing')).toMatchObject({ status: 404, body: { code: 'route-unknown' } });
    expect(await get('/moves')).toMatchObject({ status: 400, body: { code: 'parameter-missing' } });
  });

  test('lets a browser ask before it asks, without a key', async () => {
    const answer = await api.ask('OPTIONS', '/batches/bt_00000000000000000000', { key: undefined });
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Headers': 'Content-Type,Idempotency-Key,X-Api-Key',
      },
    });
    expect((await get('/hosts')).headers).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
  });
});
