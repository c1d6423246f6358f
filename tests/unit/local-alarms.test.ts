import { describe, expect, test } from '@jest/globals';
import { Alarm, type AlarmSpec } from '../../local/alarms/alarm.ts';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { MetricStore } from '../../local/metrics/metric-store.ts';

const minute = 60_000;
const plain: AlarmSpec = {
  logicalId: 'Wait',
  name: 'wait',
  arn: 'arn:alarm:wait',
  region: 'eu-central-1',
  description: undefined,
  series: { namespace: 'N', metric: 'M', dimensions: { stage: 'x', host: 'h' } },
  statistic: 'Maximum',
  comparison: 'GreaterThanThreshold',
  missingData: 'notBreaching',
  threshold: 10,
  periodMs: minute,
  periods: 1,
  datapoints: 1,
  actions: { ALARM: ['up'], OK: ['down'], INSUFFICIENT_DATA: ['none'] },
};

/** Each minute some figures, or none; what is told of it. */
async function live(change: Partial<AlarmSpec>, minutes: readonly (readonly number[])[]): Promise<string[]> {
  const spec = { ...plain, ...change };
  const store = new MetricStore();
  store.watch(spec.series, 100 * minute);
  const said: string[] = [];
  const alarm = new Alarm(spec, store, (arn) => {
    said.push(arn);
    return Promise.resolve();
  });
  for (const [nth, values] of minutes.entries()) {
    const at = nth * minute + 1;
    observe(store, line(at, values));
    said.push(String(nth));
    await alarm.evaluate((nth + 1) * minute);
  }
  return said;
}

function observe(store: MetricStore, text: string): void {
  for (const figures of figuresIn(text)) store.add(figures);
}

function line(
  at: number,
  values: readonly number[],
  dimensions: Readonly<Record<string, string>> = { host: 'h', stage: 'x' },
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: 'N',
          Dimensions: [Object.keys(dimensions)],
          Metrics: values.length === 0 ? [] : [{ Name: 'M' }],
        },
      ],
    },
    ...dimensions,
    M: values,
  });
}

describe('an alarm of the embedded cloud', () => {
  test('tells of changes only, and of each once', async () => {
    expect(await live({}, [[1], [11], [12], [2], [3], [50]])).toEqual([
      '0',
      '1',
      'up',
      '2',
      '3',
      'down',
      '4',
      '5',
      'up',
    ]);
  });

  test.each([
    ['Maximum', ['0', 'up']],
    ['Minimum', ['0']],
    ['Average', ['0', 'up']],
    ['Sum', ['0', 'up']],
    ['SampleCount', ['0']],
  ] as const)('reckons with the %s of a period', async (statistic, said) => {
    expect(await live({ statistic }, [[4, 9, 20]])).toEqual(said);
  });

  test.each([
    ['GreaterThanThreshold', false],
    ['GreaterThanOrEqualToThreshold', true],
    ['LessThanThreshold', false],
    ['LessThanOrEqualToThreshold', true],
  ] as const)('compares by %s', async (comparison, isRaised) => {
    expect((await live({ comparison }, [[10]])).includes('up')).toBe(isRaised);
  });

  test('asks for so many of its last periods', async () => {
    const spec = { periods: 3, datapoints: 2 };
    expect(await live(spec, [[11], [1], [11], [1], [1]])).toEqual(['0', '1', '2', 'up', '3', 'down', '4']);
  });

  test.each([
    ['notBreaching', ['0', 'up', '1', 'down']],
    ['breaching', ['0', 'up', '1']],
    ['ignore', ['0', 'up', '1']],
    ['missing', ['0', 'up', '1', 'none']],
  ] as const)('takes missing data as %s', async (missingData, said) => {
    expect(await live({ missingData }, [[11], []])).toEqual(said);
  });

  test('looks at no other series, at no line that is no figure, and keeps what somebody watches for a while', () => {
    const store = new MetricStore();
    store.watch(plain.series, 5 * minute);
    observe(store, line(1, [1], { host: 'other', stage: 'x' }));
    observe(store, line(1, [1], { host: 'h' }));
    for (const text of ['hello "_aws"', '{"_aws":1}', line(1, [])]) observe(store, text);
    expect(store.values(plain.series, 0, minute)).toEqual([]);
    observe(store, line(1, [7]));
    expect(store.values(plain.series, 0, minute)).toEqual([7]);
    observe(store, line(6 * minute, [8]));
    expect(store.values(plain.series, 0, 6 * minute)).toEqual([8]);
  });
});
