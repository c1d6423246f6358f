import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OpenAPIBackend, type Document } from 'openapi-backend';
import * as z from 'zod';
import { endpointName } from '../../shared/domain/ids.ts';
import { sample } from '../support/samples.ts';
import { openTestApi, testKey, type TestApi } from '../support/test-api.ts';

/**
 * The document against the API, by a validator that is not ours: whatever the API answers over HTTP is what the
 * document says that it answers.
 */
const file = resolve(import.meta.dirname, '../../resources/api/openapi.json');
// OpenAPI 3.0 writes a bound that is left out as a truth value beside it, which this one cannot read.
const text = readFileSync(file, 'utf8')
  .replaceAll(/"exclusiveM(?:in|ax)imum": true,?/g, '')
  .replaceAll(/,(\s*\})/g, '$1');
const definition = z.custom<Document>((it) => typeof it === 'object').parse(JSON.parse(text));
const others = new OpenAPIBackend({
  definition,
  coerceTypes: true,
  ajvOpts: { strict: false, validateFormats: false },
});

let api: TestApi;
let url: string;
const ids = { endpoint: endpointName('shop'), host: '', batch: '', move: '' };

beforeAll(async () => {
  await others.init();
  api = await openTestApi();
  url = await api.serve();
  const [host, batch, move] = [sample('host'), sample('batch'), { ...sample('move'), createdAt: 1_000 }];
  Object.assign(ids, { host: host.name, batch: batch.id, move: move.id });
  await api.store.insert('host', host);
  await api.store.insert('batch', batch);
  await api.store.insert('scaler', sample('scaler'));
  const { deed: _, ...letter } = sample('letter');
  await api.store.insert('letter', { ...letter, setAside: true });
  await api.store.insert('move', { ...move, batch: batch.id });
  await api.store.insert('endpoint', { ...sample('endpoint'), endpoint: ids.endpoint, host: host.name });
  await api.journal.append([
    { move: move.id, version: 1, at: 1, by: 'w', fact: 'claimed', from: 'waiting', to: 'running', note: '' },
  ]);
}, 60_000);
afterAll(async () => {
  await api.close();
});

/** Asks over HTTP, and holds question and answer against the document. */
async function ask(
  method: string,
  path: string,
  {
    body,
    key = testKey,
    headers = {},
  }: { body?: unknown; key?: string; headers?: Record<string, string> } = {},
) {
  const sent = { 'x-api-key': key, 'content-type': 'application/json', ...headers };
  const response = await fetch(`${url}${path}`, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  const [plain = '', query = ''] = path.split('?');
  const asked = {
    method,
    path: plain,
    headers: sent,
    query: Object.fromEntries(new URLSearchParams(query)),
    ...(body === undefined ? {} : { body }),
  };
  const operation = others.router.matchOperation(asked);
  if (operation === undefined) throw new Error(`the document has no ${method} ${path}`);
  const said = others.validator.validateResponse(answer, operation, response.status);
  expect({ path, status: response.status, answer, errors: said.errors }).toMatchObject({ errors: null });
  const isAsked = others.validator.validateRequest(asked, operation).valid;
  return { status: response.status, answer, isAsked };
}

test('is a document that others can read', () => {
  expect(() => others.validateDefinition()).not.toThrow();
});

test('every read answers what the document says', async () => {
  const routes = [
    `/endpoints/${ids.endpoint}`,
    '/hosts?limit=1',
    `/hosts/${ids.host}`,
    `/hosts/${ids.host}/endpoints`,
    '/batches?limit=500',
    `/batches/${ids.batch}`,
    `/batches/${ids.batch}/moves`,
    '/moves?since=1970-01-01T00',
    `/moves/${ids.move}`,
    `/moves/${ids.move}/history`,
    '/fleet',
    '/scaling',
    '/dead-letters',
    `/batches/${ids.batch}/explanation`,
    `/moves/${ids.move}/explanation`,
    `/endpoints/${ids.endpoint}/explanation`,
    `/hosts/${ids.host}/explanation`,
  ];
  for (const path of routes) {
    const { status, isAsked } = await ask('GET', path);
    expect({ path, status, isAsked }).toEqual({ path, status: 200, isAsked: true });
    expect(await ask('GET', path, { key: 'none' })).toMatchObject({ status: 403 });
  }
});

test('every command answers what the document says, and so does the request that it makes', async () => {
  const commands: readonly (readonly [string, unknown])[] = [
    ['/batches', { reason: 'why', endpoints: ['shop'], policy: { pauseBudget: 'PT1S' } }],
    ['/batches', { reason: 'why', relieve: { host: 'a', under: 0.7 } }],
    [`/batches/${ids.batch}/cancel`, { reason: 'why' }],
    [`/moves/${ids.move}/hold`, { reason: 'why' }],
    ['/endpoints/shop/pause', { reason: 'why' }],
    [`/hosts/${ids.host}/drain`, { reason: 'why', target: 'b' }],
  ];
  for (const [nth, [path, body]] of commands.entries()) {
    const headers = { 'idempotency-key': `contract-${String(nth)}` };
    expect(await ask('POST', path, { body, headers })).toMatchObject({ status: 202, isAsked: true });
    expect(await ask('GET', `/requests/contract-${String(nth)}`)).toMatchObject({ status: 200 });
    expect(
      await ask('POST', path, { body: { ...z.looseObject({}).parse(body), reason: 'x' }, headers }),
    ).toMatchObject({ status: 409 });
  }
});

test('what the document does not allow is a problem of the form that it describes', async () => {
  const headers = { 'idempotency-key': 'contract-wrong' };
  for (const [method, path, body] of [
    ['GET', '/hosts?limit=501', undefined],
    ['GET', '/batches/bt_00000000000000000000/moves?state=lost', undefined],
    ['GET', '/moves', undefined],
    ['POST', '/batches', { reason: 'why', relieve: { host: 'a', under: 2 } }],
    ['POST', '/batches', { reason: 'why', more: true }],
    ['POST', `/hosts/${ids.host}/explode`, { reason: 'why' }],
    ['POST', `/moves/${ids.move}/hold`, {}],
  ] as const) {
    const { status, isAsked } = await ask(method, path, { body, headers });
    expect({ path, status, isAsked }).toEqual({ path, status: 400, isAsked: false });
  }
  expect(await ask('GET', '/endpoints/nobody')).toMatchObject({ status: 404 });
  expect(await ask('GET', '/hosts/nobody/explanation')).toMatchObject({
    status: 404,
    answer: { code: 'host-unknown' },
  });
});
