import { describe, expect, test } from '@jest/globals';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';
import { alarmNotification } from '../support/cloudwatch.ts';
import { MoveBench } from '../support/move-bench.ts';

const receivedAt = Date.UTC(2026, 10, 21, 9);
const changedAt = Date.UTC(2026, 10, 21, 8, 59, 0, 123);
const read = (change: Readonly<Record<string, unknown>> = {}) =>
  parseHostChange(JSON.stringify(alarmNotification(change)), receivedAt);

describe('an alarm as CloudWatch publishes it', () => {
  test('is the alarm at the moment: its own identity, whatever else is in it', () => {
    const first = read();
    expect(first).toMatchObject({
      kind: 'event',
      head: {
        source: 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:h1-failed',
        id: '2026-11-21T08:59:00.123+0000',
        type: 'cloudwatch.alarm',
      },
      event: {
        kind: 'alarm',
        alarm: {
          name: 'h1-failed',
          state: 'ALARM',
          at: changedAt,
          dimensions: [{ name: 'Host', value: 'h1' }],
        },
      },
    });
    expect(read({ Region: 'elsewhere', OldStateValue: 'INSUFFICIENT_DATA' }).head).toEqual(first.head);
  });

  test('may have lines, and spaces in its name', () => {
    const AlarmArn = 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:disk of h1';
    expect(
      read({ AlarmArn, AlarmName: 'disk of h1', AlarmDescription: 'a\nb', NewStateReason: 'c\n  d' }),
    ).toMatchObject({
      kind: 'event',
      head: { source: AlarmArn.replaceAll(' ', '%20') },
      event: { alarm: { name: 'disk of h1', reason: 'c d' } },
    });
  });

  test('has the dimensions of every metric of an expression', () => {
    const metric = (value: string) => ({
      Id: 'm1',
      MetricStat: { Metric: { Dimensions: [{ name: 'Host', value }], MetricName: 'x', Namespace: 'y' } },
    });
    const Trigger = { Metrics: [{ Expression: 'm1 / m2', Id: 'e1' }, metric('h1'), metric('h2')] };
    expect(read({ Trigger })).toMatchObject({
      event: { alarm: { dimensions: [{ value: 'h1' }, { value: 'h2' }] } },
    });
  });

  test('is never later than when it was received', () => {
    expect(read({ StateChangeTime: '2026-11-21T12:00:00.000+0200' })).toMatchObject({
      event: { alarm: { at: receivedAt } },
    });
    expect(read({ StateChangeTime: '2026-11-21T10:00:00.000+0200' })).toMatchObject({
      event: { alarm: { at: Date.UTC(2026, 10, 21, 8) } },
    });
  });

  test.each([
    [{ NewStateValue: 'PANIC' }, 'field-invalid', 'NewStateValue'],
    [{ StateChangeTime: 'yesterday' }, 'field-invalid', 'StateChangeTime'],
    [{ StateChangeTime: '2026-13-21T12:00:00.000+0000' }, 'field-invalid', 'StateChangeTime'],
    [{ AlarmArn: 'h1' }, 'field-invalid', 'AlarmArn'],
    [{ AlarmName: ' ' }, 'field-invalid', 'AlarmName'],
    [{ Trigger: undefined }, 'field-missing', 'Trigger'],
    [{ Trigger: { Dimensions: [{ name: 'Host' }] } }, 'field-missing', 'Trigger.Dimensions[0].value'],
  ])('is refused with %j', (change, code, field) => {
    expect(read(change)).toMatchObject({ kind: 'refused', refusal: { code, field } });
  });

  test('that is refused is kept under its alarm and moment as far as it has them', () => {
    expect(read({ NewStateValue: 1 }).head).toMatchObject({ id: '2026-11-21T08:59:00.123+0000' });
    expect(read({ AlarmArn: 1 }).head).toMatchObject({ source: 'unreadable on host-changes' });
  });
});

describe('what an alarm says of a host', () => {
  async function send(bench: MoveBench, change: Readonly<Record<string, unknown>>): Promise<unknown> {
    const parsed = read(change);
    await reactToHostChange(bench.services, parsed);
    return (await bench.services.store.load('request', parsed.head))?.outcome;
  }
  const hostOfBench = async ({ services: { store } }: MoveBench, name = 'h1') =>
    store.load('host', { name: hostName(name) });
  const at = (second: number) => ({ StateChangeTime: `2026-11-21T08:59:${String(second)}.000+0000` });
  const named = (name: string) => ({
    AlarmName: name,
    AlarmArn: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${name}`,
  });

  test('opens and ends its signal by the time of its change of state, in whichever order', async () => {
    const bench = new MoveBench();
    await bench.addHost('h1');
    expect(await send(bench, at(10))).toEqual({ kind: 'accepted' });
    expect((await hostOfBench(bench))?.signals).toMatchObject({ 'alarm:h1-failed': { kind: 'failed' } });
    await send(bench, { ...at(30), NewStateValue: 'OK' });
    await send(bench, at(20));
    expect((await hostOfBench(bench))?.signals).toEqual({});
    await send(bench, at(40));
    await send(bench, { ...at(50), NewStateValue: 'INSUFFICIENT_DATA' });
    expect(Object.keys((await hostOfBench(bench))?.signals ?? {})).toEqual(['alarm:h1-failed']);
  });

  test('is a failure only where its name says so', async () => {
    const bench = new MoveBench();
    await bench.addHost('h1');
    await send(bench, named('h1-latency'));
    expect((await hostOfBench(bench))?.signals).toMatchObject({ 'alarm:h1-latency': { kind: 'strained' } });
  });

  test('finds its host by the label with the name of its instance, or by the dimensions of its stage', async () => {
    const bench = new MoveBench();
    await bench.addHost('h1');
    await bench.addHost('h2', { labels: { dbInstance: 'orders-1' } });
    const Trigger = { Dimensions: [{ name: 'DBInstanceIdentifier', value: 'orders-1' }] };
    await send(bench, { Trigger });
    expect((await hostOfBench(bench, 'h2'))?.signals).toHaveProperty('alarm:h1-failed');
    const settings = {
      ...bench.services.settings,
      alarms: { hostDimensions: ['node'], failedSuffixes: ['/dead'] },
    };
    const parsed = read({ ...named('x/dead'), Trigger: { Dimensions: [{ name: 'node', value: 'h1' }] } });
    await reactToHostChange({ ...bench.services, settings }, parsed);
    expect((await hostOfBench(bench))?.signals).toMatchObject({ 'alarm:x/dead': { kind: 'failed' } });
  });

  test.each([
    [[{ name: 'Host', value: 'h9' }], 'host-unknown'],
    [[{ name: 'Host', value: 'no host' }], 'alarm-host-unknown'],
    [[{ name: 'DBInstanceIdentifier', value: 'x' }], 'alarm-host-unknown'],
    [[], 'alarm-host-unknown'],
    [
      [
        { name: 'Host', value: 'h1' },
        { name: 'Host', value: 'h2' },
      ],
      'alarm-ambiguous',
    ],
  ])('is refused when it is about %j', async (Dimensions, code) => {
    const bench = new MoveBench();
    await bench.addHost('h1');
    await bench.addHost('h2');
    expect(await send(bench, { Trigger: { Dimensions } })).toMatchObject({
      kind: 'refused',
      failure: { code },
      field: 'Trigger.Dimensions',
    });
    expect((await hostOfBench(bench))?.signals).toEqual({});
  });
});
