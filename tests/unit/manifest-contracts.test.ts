import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { policyDefaults } from '../../shared/contracts/events/policy.ts';
import { parseManifestNotices } from '../../shared/contracts/manifests/notice.ts';
import { encodeWord, readTerms } from '../../shared/contracts/manifests/terms.ts';
import { noticeText } from '../support/memory-manifests.ts';

const object = { bucket: 'manifests', key: 'in/a.csv', etag: 'e1', sequencer: '1' };

describe('what the bucket for manifests tells', () => {
  test('names the object and its content; its key is decoded as S3 encodes it', () => {
    const [notice] = parseManifestNotices(noticeText({ ...object, key: 'in/ä b+c.csv' }), 'manifests');
    expect(notice).toMatchObject({
      kind: 'object',
      head: { source: 's3://manifests', type: 'manifest.put' },
      object: { bucket: 'manifests', key: 'in/ä b+c.csv', etag: 'e1' },
    });
  });

  test('is the same at each delivery, and another when the object is put once more', () => {
    const head = (text: string) => parseManifestNotices(text, 'manifests')[0]?.head;
    expect(head(noticeText(object))).toEqual(head(noticeText(object)));
    const again = head(noticeText({ ...object, sequencer: '2' }));
    expect(again?.id).toBe(head(noticeText(object))?.id);
    expect(again?.bodyHash).not.toBe(head(noticeText(object))?.bodyHash);
    expect(head(noticeText({ ...object, etag: 'e2' }))?.id).not.toBe(again?.id);
  });

  test('may be several things at once, each for itself', () => {
    const { Records } = z.object({ Records: z.array(z.unknown()) }).parse(JSON.parse(noticeText(object)));
    const text = JSON.stringify({ Records: [...Records, {}, ...Records] });
    expect(parseManifestNotices(text, 'manifests').map(({ kind }) => kind)).toEqual([
      'object',
      'refused',
      'object',
    ]);
  });

  test('is a test when notices are set up', () => {
    const text = JSON.stringify({
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-11-21T09:00:00.000Z',
      Bucket: 'manifests',
      RequestId: 'R',
      HostId: 'H',
    });
    expect(parseManifestNotices(text, 'manifests')).toMatchObject([
      { kind: 'test', head: { source: 's3://manifests', id: 'test 2026-11-21T09:00:00.000Z' } },
    ]);
  });

  /** The notice, in which nothing is called so any more. */
  const without = (name: string): string => noticeText(object).replaceAll(`"${name}"`, `"no-${name}"`);

  test.each<[string, string, string, string | undefined]>([
    ['no JSON', 'put!', 'not-json', undefined],
    ['no records', '{}', 'field-missing', 'Records'],
    ['an empty list', '{"Records":[]}', 'field-invalid', 'Records'],
    ['a record without its event', without('eventName'), 'field-missing', 'Records[0].eventName'],
    ['one without a bucket', without('bucket'), 'field-missing', 'Records[0].s3.bucket'],
    ['one without a key', without('key'), 'field-missing', 'Records[0].s3.object.key'],
    ['one without an ETag', without('eTag'), 'field-missing', 's3.object.eTag'],
    [
      'a key that cannot be decoded',
      noticeText(object).replace('in/a.csv', '%E4.csv'),
      'field-invalid',
      'Records[0].s3.object.key',
    ],
    [
      'a key with a control character',
      noticeText({ ...object, key: 'a\u001b[2J.csv' }),
      'field-invalid',
      'Records[0].s3.object.key',
    ],
    [
      'another bucket',
      noticeText({ ...object, bucket: 'others' }),
      'notice-of-another-bucket',
      's3.bucket.name',
    ],
    ['a deletion', noticeText(object, 'ObjectRemoved:Delete'), 'notice-of-no-put', 'eventName'],
    [
      'an SNS envelope',
      JSON.stringify({ Type: 'Notification', Message: noticeText(object) }),
      'field-missing',
      'Records',
    ],
  ])('is refused when it is %s', (_what, text, code, field) => {
    const [notice] = parseManifestNotices(text, 'manifests');
    expect(notice).toMatchObject({ kind: 'refused', refusal: { code } });
    expect(notice?.kind === 'refused' ? notice.refusal.field : '').toBe(field);
  });

  test('never throws, and keeps every text under a head of its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const { head } of parseManifestNotices(text, 'manifests')) {
          expect(Buffer.byteLength(head.source)).toBeLessThan(900);
          expect(Buffer.byteLength(head.id)).toBeLessThan(900);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what stands beside a manifest', () => {
  const read = (metadata: Record<string, string>, key = 'a.csv', contentType?: string) =>
    readTerms({ key, metadata, ...(contentType === undefined ? {} : { contentType }) });

  test('may be nothing: all has a default', () => {
    expect(read({})).toEqual({
      kind: 'terms',
      terms: { format: 'csv', badLines: 'refuse-all', policy: policyDefaults, policyText: '' },
    });
  });

  test('is reason, policy, bad lines and an id; what other tools add is passed over', () => {
    expect(
      read({
        reason: 'rack 7',
        policy: '{"retention":"PT2H"}',
        'bad-lines': 'skip-and-report',
        'request-id': 'second-time',
        mtime: '1790000000',
      }),
    ).toMatchObject({
      terms: {
        reason: 'rack 7',
        policy: { retentionMs: 7_200_000 },
        badLines: 'skip-and-report',
        requestId: 'second-time',
      },
    });
  });

  test('is read as it was written, whatever letters it has', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zäöü€😀 =?_]{1,60}$/u), (reason) => {
        fc.pre(reason.trim() !== '');
        expect(read({ reason: encodeWord(reason) })).toMatchObject({ terms: { reason: reason.trim() } });
      }),
    );
    expect(read({ reason: '=?UTF-8?Q?f=C3=BCr_Rack_7?=' })).toMatchObject({
      terms: { reason: 'für Rack 7' },
    });
  });

  test.each([
    ['lists/a.CSV', undefined, 'csv'],
    ['a.jsonl', 'text/csv', 'json-lines'],
    ['a.ndjson', undefined, 'json-lines'],
    ['a', 'text/csv; charset=utf-8', 'csv'],
    ['a', 'application/x-ndjson', 'json-lines'],
    ['a', 'application/jsonl', 'json-lines'],
  ])('%s of type %s is %s', (key, contentType, format) => {
    expect(read({}, key, contentType)).toMatchObject({ terms: { format } });
  });

  test.each<[string, Record<string, string>, string, string]>([
    ['a.xlsx', {}, 'manifest-format', 'key'],
    ['a.csv.gz', {}, 'manifest-format', 'key'],
    ['a.csv', { 'bad-lines': 'ignore' }, 'field-invalid', 'x-amz-meta-bad-lines'],
    ['a.csv', { policy: 'soon' }, 'not-json', 'x-amz-meta-policy'],
    ['a.csv', { policy: '{"retentoin":1}' }, 'field-unknown', 'x-amz-meta-policy.retentoin'],
    ['a.csv', { reason: 'a\u001b[2Jb' }, 'field-invalid', 'x-amz-meta-reason'],
    ['a.csv', { reason: 'x'.repeat(501) }, 'field-invalid', 'x-amz-meta-reason'],
    ['a.csv', { 'request-id': 'a b' }, 'field-invalid', 'x-amz-meta-request-id'],
  ])('%s with %j is refused', (key, metadata, code, field) => {
    expect(read(metadata, key)).toMatchObject({ kind: 'refused', refusal: { code, field } });
  });
});
