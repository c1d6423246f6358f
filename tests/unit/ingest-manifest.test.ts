import { beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { codecs } from '../../shared/aws/layout.ts';
import { parseManifestNotices } from '../../shared/contracts/manifests/notice.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import { mostEndpoints, mostFaults } from '../../shared/domain/manifest.ts';
import { endpointName as nameOf, hostName as hostNameOf } from '../../shared/domain/ids.ts';
import { ingestManifest } from '../../shared/workflow/manifests/ingest-manifest.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Store } from '../../shared/ports/store.ts';
import { HostileWorld, planningServices } from '../support/hostile-world.ts';
import { MemoryManifests, noticeText } from '../support/memory-manifests.ts';
import type { MemoryTable } from '../support/memory-table.ts';

let world: HostileWorld;
let table: MemoryTable;
let bucket: MemoryManifests;

beforeEach(async () => {
  ({ world, table } = await HostileWorld.inMemory());
  bucket = new MemoryManifests('manifests');
});

async function tell(notice: string, store: Store = world.store): Promise<void> {
  const services = { ...planningServices(world, table), store, manifests: bucket };
  for (const each of parseManifestNotices(notice, 'manifests')) await ingestManifest(services, each);
}

async function batches(): Promise<Batch[]> {
  const { items } = await planningServices(world, table).views.batches();
  const found = await Promise.all(items.map((id) => world.store.load('batch', { id })));
  return found.flatMap((batch) => batch ?? []);
}

const requests = (): RequestRecord[] =>
  table.rows().flatMap((row) => (row['kind'] === 'request' ? [codecs.request.decode(row)] : []));

/** What became of it, where it is one refusal. */
async function refusalOf(notice: string) {
  await tell(notice);
  const [row, ...others] = requests();
  expect(others).toEqual([]);
  expect(await batches()).toEqual([]);
  expect(world.bus.sent).toEqual([]);
  if (row?.outcome.kind !== 'refused') throw new Error('it was not refused');
  return { ...row.outcome.failure, field: row.outcome.field, report: row.report };
}

/** Its batch, and what that selects. */
async function only() {
  const [batch, ...others] = await batches();
  expect(others).toEqual([]);
  if (batch === undefined) throw new Error('there is no batch');
  return { batch, selection: await world.blobs.get(batch.selection) };
}

describe('a manifest', () => {
  test.each([
    ['a CSV', 'a.csv', 'endpoint,target\nshop,h2\nblog,\n'],
    ['one of other habits', 'a.csv', '\ufefftarget,endpoint\r\n"h2", "shop"\r\n\r\n,blog\r\n'],
    ['JSON Lines', 'a.jsonl', '{"endpoint":"shop","target":"h2"}\n{"endpoint":"blog"}'],
  ])('starts a batch: %s', async (_what, key, body) => {
    await tell(bucket.put(key, body, { reason: 'rack 7', policy: '{"retention":"PT2H"}' }));
    const { batch, selection } = await only();
    expect(batch).toMatchObject({
      requestSource: 's3://manifests',
      reason: 'rack 7',
      policy: { retentionMs: 7_200_000 },
      state: 'planning',
    });
    expect(batch.skipped).toBeUndefined();
    expect(selection).toEqual({
      kind: 'pairs',
      pairs: [{ endpoint: 'shop', target: 'h2' }, { endpoint: 'blog' }],
    });
    expect(world.bus.sent).toMatchObject([{ queue: 'plan' }]);
  });

  test('is one request by its content, told twice, put twice, and under another key', async () => {
    const body = 'endpoint\nshop\n';
    const first = bucket.put('one.csv', body);
    await tell(first);
    await tell(first);
    await tell(bucket.put('one.csv', body));
    await tell(bucket.put('two.csv', body));
    const { batch } = await only();
    expect(requests()).toHaveLength(1);
    expect(batch.reason).toBe('manifest one.csv');
    expect(world.bus.sent).toHaveLength(1);
  });

  test('stays that request when its endpoints have gone where they were to go', async () => {
    const body = 'endpoint,target\nshop,h2\n';
    await tell(bucket.put('one.csv', body));
    const shop = await world.store.load('endpoint', { endpoint: nameOf('shop') });
    if (shop === undefined) throw new Error('no shop');
    await world.store.commit('endpoint', shop, { ...shop, host: hostNameOf('h2') });
    await tell(bucket.put('one.csv', body));
    expect(requests()).toHaveLength(1);
    expect(await batches()).toHaveLength(1);
  });

  test('of the same content is another request under an id of its own', async () => {
    await tell(bucket.put('one.csv', 'endpoint\nshop\n'));
    await tell(bucket.put('one.csv', 'endpoint\nshop\n', { 'request-id': 'again' }));
    expect(await batches()).toHaveLength(2);
    await tell(bucket.put('one.csv', 'endpoint\nblog\n', { 'request-id': 'again' }));
    expect(await batches()).toHaveLength(2);
    const beside = requests().find(({ id }) => id.startsWith('again ~'));
    expect(beside).toMatchObject({ outcome: { kind: 'refused', failure: { code: 'request-id-reused' } } });
  });

  test('is taken up again when the delivery before died at any of its writes', async () => {
    const notice = bucket.put('one.csv', 'endpoint,target\nshop,h2\nnobody,\n', {
      'bad-lines': 'skip-and-report',
    });
    for (let deaths = 0; ; deaths += 1) {
      let left = deaths;
      const dying: Store = {
        ...world.store,
        insert: async (kind, record) => {
          if (left-- === 0) throw new Error('killed');
          return world.store.insert(kind, record);
        },
        commit: async (kind, before, after) => {
          if (left-- === 0) throw new Error('killed');
          return world.store.commit(kind, before, after);
        },
      };
      try {
        await tell(notice, dying);
        break;
      } catch (error) {
        expect(error).toMatchObject({ message: 'killed' });
      }
    }
    const { batch } = await only();
    expect(requests()).toMatchObject([{ outcome: { kind: 'accepted', batch: batch.id } }]);
  });

  test('that was refused is looked at anew when it is put again, and not when it is told again', async () => {
    const body = 'endpoint\nnewcomer\n';
    const first = bucket.put('one.csv', body);
    expect(await refusalOf(first)).toMatchObject({ code: 'manifest-lines', field: 'line 2' });
    await world.endpoint('newcomer', 'h1');
    await tell(first);
    expect(await batches()).toEqual([]);
    await tell(bucket.put('one.csv', body));
    expect(await batches()).toHaveLength(1);
  });
});

describe('a manifest with wrong lines', () => {
  const body = [
    'endpoint,target',
    'shop,h2',
    'nobody,h2',
    'blog,h2',
    'shop,h1',
    'busy,nowhere',
    'busy,shut',
    'a b,h2',
    '"blog,h2',
    'blog,h2,x',
    '"',
    'busy,',
    'late,h1',
  ].join('\n');
  const codes = [
    [3, 'endpoint-unknown'],
    [4, 'source-is-target'],
    [5, 'endpoint-twice'],
    [6, 'host-unknown'],
    [7, 'endpoint-twice'],
    [8, 'line-name'],
    [9, 'line-quote'],
    [10, 'line-columns'],
    [11, 'line-quote'],
    [12, 'endpoint-twice'],
    [13, 'line-cut-off'],
  ];

  test('is refused as a whole, names the first few, and keeps them all', async () => {
    const { code, field, sentence, cure, report } = await refusalOf(bucket.put('in/a.csv', body));
    expect({ code, field }).toEqual({ code: 'manifest-lines', field: 'line 3' });
    expect(sentence).toMatch(
      /^11 of 13 lines are wrong: line 3: there is no endpoint nobody; line 4: blog is on h2 already; line 5: shop stands on line 2 already; .*; and 6 more\.$/,
    );
    expect(cure).toContain('dray manifest report in/a.csv has');
    if (report === undefined) throw new Error('no report');
    const kept = await world.blobs.get(report);
    expect(kept).toMatchObject({ manifest: 's3://manifests/in/a.csv', lines: 13, endpoints: 1 });
    expect(faultsOf(kept)).toEqual(codes);
  });

  test('goes without them if that is asked for, and says so', async () => {
    await tell(bucket.put('a.csv', body, { 'bad-lines': 'skip-and-report' }));
    const { batch, selection } = await only();
    expect(selection).toEqual({ kind: 'pairs', pairs: [{ endpoint: 'shop', target: 'h2' }] });
    expect(batch.skipped?.lines).toBe(11);
    if (batch.skipped === undefined) throw new Error('nothing skipped');
    expect(faultsOf(await world.blobs.get(batch.skipped.report))).toEqual(codes);
  });

  test('of which none is good starts nothing, whatever is asked for', async () => {
    const notice = bucket.put('a.csv', 'endpoint\nnobody\n', { 'bad-lines': 'skip-and-report' });
    expect(await refusalOf(notice)).toMatchObject({ code: 'manifest-lines' });
  });

  test.each<[string, string | Uint8Array, string]>([
    ['that are no JSON', '{"endpoint":"shop"\n', 'line-not-json'],
    ['that are cut off', '{"endpoint":"blog"}\n{"endpoint":"sh', 'line-cut-off'],
    ['of another form', '["shop"]\n', 'line-fields'],
    ['of a misspelt field', '{"endpoint":"shop","targte":"h2"}\n', 'line-fields'],
    ['of a number', '{"endpoint":1}\n', 'line-fields'],
    [
      'in another encoding',
      Buffer.concat([Buffer.from('{"endpoint":"caf'), Buffer.from([0xe9]), Buffer.from('"}\n')]),
      'line-encoding',
    ],
    ['without end', `{"endpoint":"${'x'.repeat(10_000)}"}\n`, 'line-too-long'],
  ])('of JSON %s is refused with the line', async (_what, lines, code) => {
    const { report } = await refusalOf(bucket.put('a.jsonl', lines));
    if (report === undefined) throw new Error('no report');
    expect(faultsOf(await world.blobs.get(report))).toEqual([[expect.any(Number), code]]);
  });
});

const reported = z.object({ faults: z.array(z.object({ line: z.int(), code: z.string() })) });

const faultsOf = (report: unknown): [number, string][] =>
  reported.parse(report).faults.map(({ line, code }) => [line, code]);

describe('a manifest is refused as a whole,', () => {
  test.each<[string, string | Uint8Array, string, string | undefined]>([
    ['that is empty', '', 'manifest-empty', undefined],
    ['of blank lines', '\ufeff\r\n\n', 'manifest-empty', undefined],
    ['with nothing but a header', 'endpoint,target\n', 'manifest-empty', undefined],
    ['without a header', 'shop,h2\n', 'manifest-header', 'line 1'],
    ['with a misspelt header', '\nendpoint,targte\nshop,h2\n', 'manifest-header', 'line 2'],
    ['with another separator', 'endpoint;target\nshop;h2\n', 'manifest-header', 'line 1'],
    ['in UTF-16', Buffer.from('\ufeffendpoint\nshop\n', 'utf16le'), 'manifest-encoding', 'line 1'],
  ])('%s', async (_what, body, code, field) => {
    const refusal = await refusalOf(bucket.put('a.csv', body));
    expect({ code: refusal.code, field: refusal.field }).toEqual({ code, field });
  });

  test('whose name says nothing, and whose metadata are wrong', async () => {
    expect(await refusalOf(bucket.put('a.txt', 'endpoint\nshop\n'))).toMatchObject({
      code: 'manifest-format',
    });
    await tell(bucket.put('b.csv', 'endpoint\nshop\n', { policy: '{' }));
    expect(await batches()).toEqual([]);
  });

  test('that was edited while it was read; what was put over it is taken', async () => {
    const first = bucket.put('a.csv', 'endpoint\nshop\n');
    let second = '';
    bucket.beforePiece = (nth) => {
      if (nth === 1 && second === '') second = bucket.put('a.csv', 'endpoint\nblog\n');
    };
    expect(await refusalOf(first)).toMatchObject({ code: 'manifest-changed' });
    await tell(second);
    expect((await only()).selection).toEqual({ kind: 'pairs', pairs: [{ endpoint: 'blog' }] });
  });

  test('that is gone before it was read', async () => {
    const notice = bucket.put('a.csv', 'endpoint\nshop\n');
    bucket.delete('a.csv');
    expect(await refusalOf(notice)).toMatchObject({ code: 'manifest-gone' });
  });

  test('of something else than what was put there', async () => {
    const of = { key: 'a.csv', etag: 'e', sequencer: '1' };
    await tell(noticeText({ ...of, bucket: 'others' }));
    await tell(noticeText({ ...of, bucket: 'manifests' }, 'ObjectRemoved:Delete'));
    await tell('nonsense');
    const codesOf = requests().map(({ outcome }) => outcome.kind === 'refused' && outcome.failure.code);
    expect(codesOf).toEqual(['notice-of-another-bucket', 'notice-of-no-put', 'not-json']);
    expect(await batches()).toEqual([]);
  });
});

describe('a long manifest', () => {
  const csv = (lines: number, name: (nth: number) => string): string =>
    `endpoint,target\n${Array.from({ length: lines }, (_, nth) => `${name(nth)},h2\n`).join('')}`;

  /** Every endpoint is there, on h1. */
  function fullStore(): Store {
    return {
      ...world.store,
      load: async (kind, key) => {
        const shop = { endpoint: nameOf('shop') };
        return world.store.load(kind, kind === 'endpoint' ? { ...key, ...shop } : key);
      },
    };
  }

  test('of a hundred thousand endpoints is one batch; with one more it is refused with the line', async () => {
    bucket = new MemoryManifests('manifests', 65_536);
    const name = (nth: number): string => `tenant-${String(nth)}`;
    await tell(bucket.put('a.csv', csv(mostEndpoints, name)), fullStore());
    const { batch, selection } = await only();
    expect(batch.skipped).toBeUndefined();
    expect(z.object({ pairs: z.array(z.unknown()) }).parse(selection).pairs).toHaveLength(mostEndpoints);

    await tell(bucket.put('b.csv', csv(mostEndpoints + 50, name)), fullStore());
    expect(await batches()).toHaveLength(1);
    const refused = requests().find(({ id }) => id.startsWith('object b.csv '));
    expect(refused).toMatchObject({
      outcome: { failure: { code: 'manifest-too-long' }, field: `line ${String(mostEndpoints + 2)}` },
    });
  });

  test('of a million lines that are all wrong is not looked at to its end', async () => {
    bucket = new MemoryManifests('manifests', 1_048_576);
    const { code, field, report } = await refusalOf(
      bucket.put(
        'a.csv',
        csv(1_000_000, () => '?'),
      ),
    );
    expect({ code, field }).toEqual({ code: 'manifest-unfit', field: `line ${String(mostFaults + 2)}` });
    if (report === undefined) throw new Error('no report');
    expect(faultsOf(await world.blobs.get(report))).toHaveLength(mostFaults);
  });
});
