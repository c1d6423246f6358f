import { beforeEach, describe, expect, test } from '@jest/globals';
import { Alarm, type AlarmSpec } from '../../local/alarms/alarm.ts';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { MetricStore } from '../../local/metrics/metric-store.ts';
import { parseAlarm, type AlarmOwner } from '../../shared/contracts/events/alarm-notification.ts';
import { freshFleet } from '../../shared/domain/fleet.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { hearOfAlarm } from '../../shared/workflow/scaling/hear-alarm.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { MoveBench } from '../support/move-bench.ts';

const owner: AlarmOwner = {
  stage: 'test',
  account: '000000000000',
  arnPrefix: 'arn:aws:cloudwatch:eu-central-1:000000000000:alarm:',
};
const soon = { remainingMs: () => 60_000 };
const a = hostName('a');

/** A notification as CloudWatch writes it. */
function told(name: string, state: 'ALARM' | 'OK', at: number, change: object = {}): string {
  const [, kind = '', of = ''] = /-(zone|host)-(.+)$/.exec(name) ?? [];
  const metric = name.includes('-wait')
    ? 'OldestAdmissibleMs'
    : name.includes('-lag')
      ? 'ReplicationLagMs'
      : 'HostLatencyMs';
  return JSON.stringify({
    AlarmName: name,
    AlarmDescription: null,
    AWSAccountId: owner.account,
    NewStateValue: state,
    NewStateReason: 'Threshold Crossed',
    StateChangeTime: new Date(at).toISOString().replace('Z', '+0000'),
    Region: 'EU (Frankfurt)',
    AlarmArn: `${owner.arnPrefix}${name}`,
    OldStateValue: state === 'OK' ? 'ALARM' : 'OK',
    Trigger: {
      MetricName: metric,
      Namespace: 'Drayage',
      Dimensions: [
        { name: 'service', value: 'drayage' },
        { name: 'stage', value: owner.stage },
        ...(kind === '' ? [] : [{ name: kind, value: of }]),
      ],
    },
    ...change,
  });
}

describe('the autoscaler', () => {
  let bench: MoveBench;
  beforeEach(async () => {
    bench = new MoveBench();
    bench.clock.pass(10_000_000);
    await bench.addHost('a', { movesOut: 8, movesIn: 4, zone: 'z1' });
  });

  const hear = async (text: string): Promise<void> =>
    hearOfAlarm(bench.services, parseAlarm(text, bench.clock.now(), owner));
  const throttle = async (): Promise<unknown> =>
    (await bench.services.store.load('host', { name: a }))?.throttle;
  const minutes = async (count: number): Promise<void> => {
    for (let minute = 0; minute < count; minute += 1) {
      bench.clock.pass(60_000);
      await sweepRows(bench.services, soon);
    }
  };

  test('halves the permits of a host that is hurt with every minute, and gives them back one by one', async () => {
    await hear(told('drayage-test-scale-lag-host-a', 'ALARM', bench.clock.now()));
    expect(await throttle()).toEqual({ out: 4, in: 2 });
    await minutes(1);
    expect(await throttle()).toEqual({ out: 2, in: 1 });
    await hear(told('drayage-test-scale-lag-host-a', 'OK', bench.clock.now()));
    await minutes(4);
    expect(await throttle()).toEqual({ out: 2, in: 1 });
    await minutes(2);
    expect(await throttle()).toEqual({ out: 4, in: 3 });
    await minutes(10);
    expect(await throttle()).toBeUndefined();
    const scaler = await bench.services.store.load('scaler', { target: 'host/a' });
    expect(scaler?.decisions.map(({ direction }) => direction)).toEqual([
      ...Array.from({ length: 6 }, () => 'out'),
      'in',
      'in',
    ]);
    expect(scaler?.decisions.at(-1)?.reason).toContain('drayage-test-scale-lag-host-a');
  });

  test('lets more moves go while they wait too long, by itself, until the alarm ends', async () => {
    await bench.services.store.insert('fleet', { ...freshFleet, throttle: { all: 50, zones: { z1: 25 } } });
    const at = bench.clock.now();
    const dials = { moves: 50 };
    const base = { alarms: {}, watch: { from: at, peak: 0 }, decisions: [], version: 1 };
    await bench.services.store.insert('scaler', { target: 'all', dials, ...base });
    const limit = async (): Promise<unknown> => (await bench.services.store.load('fleet', {}))?.throttle?.all;
    await hear(told('drayage-test-scale-wait', 'ALARM', bench.clock.now()));
    expect(await limit()).toBe(75);
    await minutes(2);
    expect(await limit()).toBe(125);
    await hear(told('drayage-test-scale-wait', 'OK', bench.clock.now()));
    await minutes(2);
    expect(await limit()).toBe(125);
    expect((await bench.services.store.load('fleet', {}))?.throttle?.zones).toEqual({});
  });

  test('refuses news that is late, repeated, forged, of the future or of nothing that it knows: counted, kept, and without consequence', async () => {
    const refused: unknown[] = [];
    const services = {
      ...bench.services,
      meter: { note: (_: string, __: number, of: unknown) => refused.push(of) },
    };
    const news = async (text: string): Promise<void> =>
      hearOfAlarm(services, parseAlarm(text, bench.clock.now(), owner));
    const name = 'drayage-test-scale-latency-host-a';
    const now = bench.clock.now();
    await news(told(name, 'ALARM', now - 1_000));
    const before = await bench.services.store.load('scaler', { target: 'host/a' });
    refused.splice(0);
    const wrong = [
      told(name, 'OK', now - 2_000),
      told(name, 'ALARM', now - 1_000),
      told(name, 'OK', now + 3_600_000),
      told(name, 'OK', now, { AWSAccountId: '111111111111' }),
      told(name, 'OK', now, { AlarmArn: 'arn:aws:cloudwatch:eu-central-1:111111111111:alarm:x' }),
      told(name, 'OK', now, { Trigger: { MetricName: 'Other', Namespace: 'Drayage', Dimensions: [] } }),
      told('drayage-test-scale-latency-host-nobody', 'ALARM', now),
      told('drayage-test-scale-wait-zone-nowhere', 'ALARM', now),
      told('drayage-other-scale-wait', 'ALARM', now),
      told('drayage-test-scale-lag', 'ALARM', now),
      'no JSON',
      '{}',
    ];
    for (const text of wrong) await news(text);
    expect(
      refused.map((of) => (typeof of === 'object' && of !== null && 'code' in of ? of.code : of)),
    ).toEqual([
      'alarm-late',
      'alarm-repeated',
      'alarm-ahead',
      'alarm-forged',
      'alarm-forged',
      'alarm-forged',
      'alarm-target-unknown',
      'alarm-target-unknown',
      'alarm-unknown',
      'alarm-unknown',
      'not-json',
      'field-missing',
    ]);
    expect(await bench.services.store.load('scaler', { target: 'host/a' })).toEqual(before);
    const hour = new Date(bench.clock.now()).toISOString().slice(0, 13);
    const kept = await bench.services.views.refusalsAt(hour);
    expect(kept.items).toHaveLength(wrong.length);
  });

  test('works from the figures that functions write to the permits, over the alarms of the embedded cloud', async () => {
    const store = new MetricStore();
    const published: string[] = [];
    const alarm = new Alarm(latencyAlarm, store, (arn, body) => {
      expect(arn).toBe('arn:topic');
      published.push(body);
      return Promise.resolve();
    });
    store.watch(latencyAlarm.series, 600_000);
    const look = async (latencyMs: number): Promise<void> => {
      bench.clock.pass(60_000);
      const now = bench.clock.now();
      for (const figures of figuresIn(embeddedLine(now - 5_000, latencyMs))) store.add(figures);
      await alarm.evaluate(now);
      for (const text of published.splice(0)) await hear(text);
    };
    await look(3_000);
    expect(await throttle()).toBeUndefined();
    await look(3_000);
    expect(await throttle()).toEqual({ out: 4, in: 2 });
    await look(10);
    await minutes(20);
    expect(await throttle()).toBeUndefined();
  });
});

const latencyAlarm: AlarmSpec = {
  logicalId: 'ScaleLatencyHostaAlarm',
  name: 'drayage-test-scale-latency-host-a',
  arn: `${owner.arnPrefix}drayage-test-scale-latency-host-a`,
  region: 'eu-central-1',
  description: undefined,
  series: {
    namespace: 'Drayage',
    metric: 'HostLatencyMs',
    dimensions: { service: 'drayage', stage: 'test', host: 'a' },
  },
  statistic: 'Maximum',
  comparison: 'GreaterThanThreshold',
  missingData: 'notBreaching',
  threshold: 1_000,
  periodMs: 60_000,
  periods: 2,
  datapoints: 2,
  actions: { ALARM: ['arn:topic'], OK: ['arn:topic'], INSUFFICIENT_DATA: [] },
};

/** A line as a function's meter writes it. */
function embeddedLine(at: number, latencyMs: number): string {
  return JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: 'Drayage',
          Dimensions: [['service', 'stage', 'host']],
          Metrics: [{ Name: 'HostLatencyMs', Unit: 'Milliseconds' }],
        },
      ],
    },
    service: 'drayage',
    stage: 'test',
    host: 'a',
    HostLatencyMs: latencyMs,
  });
}
