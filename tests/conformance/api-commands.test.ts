import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { postingAnswer } from '../../shared/contracts/api/bodies.ts';
import { eventOf } from '../../shared/contracts/api/posting.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import { openTestApi, type TestApi } from '../support/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
}, 60_000);
afterAll(async () => {
  await api.close();
});

const batch = 'bt_0123456789abcdefghij';
const move = 'mv_0123456789abcdef';
let nth = 0;

async function post(path: string, body: unknown, key = `key-${String((nth += 1))}`) {
  const answer = await api.ask('POST', path, {
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { key, ...answer };
}

/** The row of a request of the key with which tests ask. */
async function rowOf(id: string): Promise<RequestRecord | undefined> {
  const key = z.object({ Key: z.object({ pk: z.object({ S: z.string() }) }) });
  const source = key.parse(JSON.parse(api.asked.at(-1)?.body ?? '')).Key.pk.S.slice('REQUEST#'.length);
  expect(source).toMatch(/^\/api-keys\/.+/);
  return api.store.load('request', { source, id });
}

/** The event that a row is published as, read as whoever takes it reads it. */
function readBack(row: RequestRecord | undefined) {
  if (row?.posted === undefined) throw new Error('nothing was posted');
  const { topic, text } = eventOf({ ...row, ...row.posted });
  return (topic === 'requests' ? parseRequest : parseHostChange)(text, row.receivedAt);
}

describe('what is posted', () => {
  test.each([
    ['/batches', { reason: 'why', host: 'a' }, { kind: 'move-batch' }],
    [
      `/batches/${batch}/pause`,
      { reason: 'why' },
      { kind: 'command', verb: 'pause', subject: { kind: 'batch', batch } },
    ],
    [
      `/moves/${move}/retry`,
      { reason: 'why' },
      { kind: 'command', verb: 'retry', subject: { kind: 'move', move } },
    ],
    ['/endpoints/shop/resume', { reason: 'why' }, { subject: { kind: 'endpoint', endpoint: 'shop' } }],
    ['/hosts/a/pause', { reason: 'why' }, { kind: 'command', subject: { kind: 'host', host: 'a' } }],
    ['/hosts/a/cordon', { reason: 'why' }, { kind: 'cordon', host: 'a' }],
    ['/hosts/a/drain', { reason: 'why', target: 'b' }, { kind: 'drain', host: 'a', target: 'b' }],
    ['/hosts/a/fail', { reason: 'why', signal: 'disk' }, { kind: 'fail', host: 'a', signal: 'disk' }],
  ])(
    'to %s is put down at once, and is the event that a publisher would publish',
    async (path, body, event) => {
      const { key, status, headers, body: answer } = await post(path, body);
      expect(status).toBe(202);
      expect(postingAnswer.parse(answer)).toEqual({
        request: key,
        state: 'waiting',
        href: `/test/requests/${key}`,
      });
      expect(headers).toMatchObject({ Location: `/test/requests/${key}` });
      const row = await rowOf(key);
      expect(row).toMatchObject({ id: key, outcome: { kind: 'pending' }, version: 1 });
      const parsed = readBack(row);
      expect(parsed).toMatchObject({ kind: 'event', head: { source: row?.source, id: key }, event });
      // By its hash whoever takes the event knows the row for its own.
      expect(parsed.head.textHash).toBe(row?.bodyHash);
      expect(await api.ask('GET', `/requests/${key}`)).toMatchObject({
        status: 200,
        body: { request: key, state: 'waiting', type: row?.type },
      });
    },
  );

  test('again is the same request, also when it has been taken', async () => {
    const path = `/batches/${batch}/pause`;
    const { key, body } = await post(path, { reason: 'once' });
    const first = await rowOf(key);
    expect((await post(path, { reason: 'once' }, key)).body).toEqual(body);
    expect(await rowOf(key)).toEqual(first);
    if (first === undefined) throw new Error('no row');
    await api.store.commit('request', first, { ...first, outcome: { kind: 'accepted' } });
    expect(await post(path, { reason: 'once' }, key)).toMatchObject({
      status: 202,
      body: { state: 'accepted' },
    });
    expect(await rowOf(key)).toMatchObject({ outcome: { kind: 'accepted' } });
  });

  test('under the id of another request is refused, and changes nothing', async () => {
    const { key } = await post(`/batches/${batch}/pause`, { reason: 'one' });
    const before = await rowOf(key);
    for (const [path, reason] of [
      [`/batches/${batch}/pause`, 'another'],
      [`/batches/${batch}/resume`, 'one'],
      [`/moves/${move}/cancel`, 'one'],
    ] as const) {
      expect(await post(path, { reason }, key)).toMatchObject({
        status: 409,
        body: { code: 'request-id-reused' },
        headers: { 'Content-Type': 'application/problem+json' },
      });
    }
    expect(await rowOf(key)).toEqual(before);
  });

  test('is kept to the letter, whatever is in it', async () => {
    const reasons = [
      `it's "lunch" \\ / $id #set($x = 1) #end $util.base64Encode("x")`,
      '","TableName":"other","x":"',
      'Köln 😀 ሴ',
    ];
    for (const reason of reasons) {
      const { key, status } = await post(`/batches/${batch}/pause`, { reason });
      expect(status).toBe(202);
      const row = await rowOf(key);
      expect(row?.posted).toEqual({ to: `/batches/${batch}/pause`, body: JSON.stringify({ reason }) });
      expect(readBack(row)).toMatchObject({ kind: 'event', event: { reason } });
    }
  });

  test('and cannot be an event is known again all the same', async () => {
    const { key } = await post(`/batches/${batch}/pause`, { reason: 'a line\u0007' });
    const row = await rowOf(key);
    const parsed = readBack(row);
    expect(parsed).toMatchObject({ kind: 'refused', refusal: { code: 'text-unprintable' } });
    expect(parsed.head.textHash).toBe(row?.bodyHash);
  });
});

describe('what is wrong is refused before anything is written', () => {
  test.each([
    ['/batches', '{"reason":', 'body-invalid'],
    ['/batches', { host: 'a' }, 'body-invalid'],
    ['/batches', { reason: 'r', host: 'a', more: 1 }, 'body-invalid'],
    [`/batches/${batch}/pause`, {}, 'body-invalid'],
    [`/batches/${batch}/pause`, { reason: 'r', batch: 'bt_9' }, 'body-invalid'],
    [`/batches/${batch}/pause`, { reason: 'r'.repeat(501) }, 'body-invalid'],
    [`/batches/${batch}/explode`, { reason: 'r' }, 'parameter-invalid'],
    [`/batches/${batch}/reverse`, { reason: 'r' }, 'parameter-invalid'],
    ['/batches/x/pause', { reason: 'r' }, 'parameter-invalid'],
    ['/hosts/a%22,%22x%22:%22/pause', { reason: 'r' }, 'parameter-invalid'],
    ['/hosts/a/__proto__', { reason: 'r' }, 'parameter-invalid'],
    [
      '/batches',
      { reason: 'r', endpoints: Array.from({ length: 2_000 }, () => 'x'.repeat(100)) },
      'parameter-invalid',
    ],
  ])('%s with %j', async (path, body, code) => {
    const { key, status, body: answer } = await post(path, body);
    expect({ status, answer }).toMatchObject({ status: 400, answer: { code } });
    expect(await api.ask('GET', `/requests/${key}`)).toMatchObject({ status: 404 });
  });

  test.each(['', ' ', 'a b', 'a"b', '-a', `a${'b'.repeat(128)}`, '$context.requestId', 'ä'])(
    'the key %j',
    async (key) => {
      const answer = await post(`/batches/${batch}/pause`, { reason: 'r' }, key);
      expect(answer.status).toBe(400);
    },
  );

  test('without a key to the API', async () => {
    const answer = await api.ask('POST', '/batches', { key: undefined, body: '{"reason":"r","host":"a"}' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'api-key-refused' } });
  });

  test('of another form than JSON', async () => {
    const answer = await api.ask('POST', '/batches', {
      headers: { 'idempotency-key': 'k', 'content-type': 'text/plain' },
      body: '{"reason":"r","host":"a"}',
    });
    expect(answer).toMatchObject({ body: { code: 'body-invalid' } });
  });
});
