import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { targetsOf, bucketNotification, objectEvent } from '../../local/sources/bucket-events.ts';
import { matches, passesFilters } from '../../local/sources/event-pattern.ts';
import { failedItems } from '../../local/sources/item-failures.ts';
import { parseSchedule } from '../../local/sources/schedule-expression.ts';
import { Signal } from '../../local/sources/signal.ts';

describe('event patterns', () => {
  const event = { kind: 'move', size: 12, tags: ['a', 'b'], host: { name: 'pg-one' }, gone: null };
  test.each([
    [{ kind: ['move', 'batch'] }, true],
    [{ kind: ['batch'] }, false],
    [{ tags: ['b'] }, true],
    [{ host: { name: [{ prefix: 'pg-' }] } }, true],
    [{ host: { name: [{ suffix: '-two' }] } }, false],
    [{ host: { name: [{ wildcard: 'p*ne' }] } }, true],
    [{ kind: [{ 'equals-ignore-case': 'MOVE' }] }, true],
    [{ kind: [{ 'anything-but': ['batch'] }] }, true],
    [{ kind: [{ 'anything-but': 'move' }] }, false],
    [{ kind: [{ 'anything-but': { prefix: 'mo' } }] }, false],
    [{ size: [{ numeric: ['>', 10, '<=', 12] }] }, true],
    [{ size: [{ numeric: ['>', 12] }] }, false],
    [{ missing: [{ exists: false }] }, true],
    [{ kind: [{ exists: false }] }, false],
    [{ gone: [null] }, true],
    [{ $or: [{ kind: ['batch'] }, { size: [12] }] }, true],
    [{ kind: [{ unheard: 'of' }] }, false],
    [{ kind: ['move'], size: [13] }, false],
  ])('%j fits: %s', (pattern, fits) => {
    expect(matches(pattern, event)).toBe(fits);
  });

  test('no filter lets everything pass, and one of several is enough', () => {
    expect(passesFilters([], event)).toBe(true);
    expect(passesFilters([{ kind: ['batch'] }, { kind: ['move'] }], event)).toBe(true);
    expect(passesFilters([{ kind: ['batch'] }], event)).toBe(false);
  });
});

describe('partial failures', () => {
  const ids = ['1', '2', '3'];
  const report = (...failed: unknown[]): string =>
    JSON.stringify({ batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) });
  test.each([
    ['the reported ones', report('2'), ['2']],
    ['none, when none is reported', report(), []],
    ['none, when the answer is null', 'null', []],
    ['none, when the answer is empty', '{}', []],
    ['all, when an identifier is unknown', report('9'), ids],
    ['all, when an identifier is no text', report(null), ids],
    ['all, when the answer is no JSON', 'nonsense', ids],
  ])('are %s', (_what, payload, expected) => {
    expect([...failedItems(payload, ids)]).toEqual(expected);
  });
});

describe('schedule expressions', () => {
  const fires = (expression: string, at: string): boolean => {
    const parsed = parseSchedule(expression);
    return parsed.kind === 'cron' && parsed.fires(new Date(at));
  };
  test('read a rate', () => {
    expect(parseSchedule('rate(1 minute)')).toEqual({ kind: 'rate', everyMs: 60_000 });
    expect(parseSchedule('rate(2 hours)')).toEqual({ kind: 'rate', everyMs: 7_200_000 });
  });
  test.each([
    ['cron(0/15 8-17 ? * MON-FRI *)', '2026-11-20T08:30:00Z', true],
    ['cron(0/15 8-17 ? * MON-FRI *)', '2026-11-20T08:31:00Z', false],
    ['cron(0/15 8-17 ? * MON-FRI *)', '2026-11-21T08:30:00Z', false],
    ['cron(5 0 1 JAN,JUL ? 2026)', '2026-07-01T00:05:00Z', true],
    ['cron(5 0 1 JAN,JUL ? 2026)', '2027-07-01T00:05:00Z', false],
  ])('%s at %s: %s', (expression, at, expected) => {
    expect(fires(expression, at)).toBe(expected);
  });
  test.each(['rate(soon)', 'cron(0 0 * *)', 'cron(99 0 ? * * *)', 'cron(0 0 L * ? *)', 'at(2026-01-01)'])(
    'refuse %s',
    (expression) => {
      expect(() => parseSchedule(expression)).toThrow(expression);
    },
  );
});

describe('bucket events', () => {
  const notifications = [
    bucketNotification('one', {
      QueueConfigurations: [
        {
          Event: 's3:ObjectCreated:*',
          Queue: 'arn:queue',
          Filter: {
            S3Key: {
              Rules: [
                { Name: 'prefix', Value: 'in/' },
                { Name: 'suffix', Value: '.json' },
              ],
            },
          },
        },
      ],
      TopicConfigurations: [{ Event: 's3:ObjectRemoved:Delete', Topic: 'arn:topic' }],
    }),
  ];
  const change = {
    kind: 'object',
    event: 'ObjectCreated:Put',
    bucket: 'one',
    key: 'in/a.json',
    size: 1,
    etag: 'e',
  } as const;
  test('go to those whose event and filter fit', () => {
    expect(targetsOf(notifications, change)).toEqual(['arn:queue']);
    expect(targetsOf(notifications, { ...change, key: 'out/a.json' })).toEqual([]);
    expect(targetsOf(notifications, { ...change, bucket: 'two' })).toEqual([]);
    expect(targetsOf(notifications, { ...change, event: 'ObjectRemoved:Delete' })).toEqual(['arn:topic']);
  });
  test('follow one another, also within a millisecond', () => {
    const sequencers = Array.from({ length: 20 }, () => sequencerOf(objectEvent(change, 'eu-central-1')));
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });
  test('carry the key encoded as S3 does', () => {
    expect(objectEvent({ ...change, key: 'in/ä b.json' }, 'eu-central-1')).toMatchObject({
      Records: [{ s3: { object: { key: 'in/%C3%A4+b.json' } } }],
    });
  });
});

function sequencerOf(event: unknown): string {
  const [record] = z
    .object({ Records: z.array(z.object({ s3: z.object({ object: z.object({ sequencer: z.string() }) }) })) })
    .parse(event).Records;
  return record?.s3.object.sequencer ?? '';
}

test('a ring between looking and waiting is not missed', async () => {
  const signal = new Signal();
  const seen = signal.rings;
  signal.ring();
  await expect(signal.wait(60_000, seen)).resolves.toBeUndefined();
});
