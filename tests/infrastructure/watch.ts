import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { metrics, type Dimension } from '../../shared/ports/meter.ts';
import { idsOf, ofType, referencesIn, required, type PackagedTemplate, type Resource } from './template.ts';

const known: Readonly<Record<Dimension | 'service' | 'stage', true>> = {
  code: true,
  function: true,
  host: true,
  outcome: true,
  phase: true,
  service: true,
  side: true,
  stage: true,
  state: true,
  step: true,
  sweep: true,
  workflow: true,
  zone: true,
};

const plainAlarm = z.object({
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  Threshold: z.number(),
});
const settings = z.looseObject({ stat: z.string().optional(), expression: z.string().optional() });
const entry = z.array(z.union([z.string(), settings]));
const page = z.object({
  widgets: z.array(
    z.object({
      type: z.literal('metric'),
      x: z.int(),
      y: z.int(),
      width: z.int(),
      height: z.int(),
      properties: z.object({
        title: z.string(),
        region: z.literal('${AWS::Region}'),
        metrics: z.array(entry).min(1),
        annotations: z
          .object({ horizontal: z.array(z.object({ label: z.string(), value: z.number() })) })
          .optional(),
      }),
    }),
  ),
});

/** Who looks after a stage: alarms of people on duty, and a page to look at. */
export function testWatch(stage: string, made: () => PackagedTemplate): void {
  const alarms = (): [string, Resource][] => ofType(made(), 'AWS::CloudWatch::Alarm');
  const watching = (metric: string): string[] =>
    alarms().flatMap(([, { Properties }]) =>
      JSON.stringify(Properties).includes(`"${metric}"`) ? referencesIn(Properties) : [],
    );

  test('wakes people when functions, queues, the table or its stream need them, where somebody is on duty', () => {
    const isWatched = stage !== 'dev';
    const functions = isWatched ? idsOf(made(), 'AWS::Lambda::Function') : [];
    const queues = idsOf(made(), 'AWS::SQS::Queue').filter((id) => !/(?:Dead|Failures)Queue$/.test(id));
    const without = (ids: readonly string[]): string[] =>
      [...new Set(ids)].filter((id) => id !== 'AlarmsTopic');
    expect(without(watching('Errors')).sort()).toEqual(functions);
    expect(without(watching('Throttles')).sort()).toEqual(functions);
    expect(without(watching('ApproximateAgeOfOldestMessage')).sort()).toEqual(isWatched ? queues : []);
    expect(without(watching('IteratorAge'))).toEqual(isWatched ? ['RelayChangesLambdaFunction'] : []);
    const table = z
      .object({ GlobalSecondaryIndexes: z.array(z.object({ IndexName: z.string() })) })
      .parse(required(made().Resources['Table']).Properties);
    for (const kind of ['WriteThrottleEvents', 'ReadThrottleEvents']) {
      const text = JSON.stringify(alarms().filter(([, alarm]) => JSON.stringify(alarm).includes(kind)));
      for (const { IndexName } of table.GlobalSecondaryIndexes)
        expect({ kind, IndexName, is: text.includes(`"${IndexName}"`) }).toEqual({
          kind,
          IndexName,
          is: isWatched,
        });
    }
  });

  test('has people told of every alarm but those that scale, and when it is over', () => {
    for (const [id, { Properties }] of alarms()) {
      const topic = /-scale-(?:wait|lag|latency)/.test(String(Properties['AlarmName']))
        ? 'ScaleTopic'
        : 'AlarmsTopic';
      const told = [Properties['AlarmActions'], Properties['OKActions']];
      expect({ id, told }).toEqual({ id, told: [[{ Ref: topic }], [{ Ref: topic }]] });
    }
  });

  test('takes a sweep of which nothing is heard for one that does not run', () => {
    const silent = alarms().filter(([, { Properties }]) => Properties['TreatMissingData'] === 'breaching');
    expect(silent.map(([id]) => id).sort()).toEqual(['SweepHostsMissingAlarm', 'SweepRowsMissingAlarm']);
  });

  test('has alarms on such figures of ours as there are', () => {
    const own = alarms().filter(([, { Properties }]) => Properties['Namespace'] === 'Drayage');
    expect(own.length).toBeGreaterThan(6);
    for (const [id, { Properties }] of own) {
      const { MetricName, Dimensions } = plainAlarm.parse(Properties);
      const strange = Dimensions.filter(({ Name }) => !(Name in known));
      expect({ id, is: MetricName in metrics, strange }).toEqual({ id, is: true, strange: [] });
    }
  });

  test('has a page with what moves, waits and hurts: of such figures of ours as there are', () => {
    const [, { Properties }] = required(ofType(made(), 'AWS::CloudWatch::Dashboard')[0]);
    const { 'Fn::Sub': body } = z.object({ 'Fn::Sub': z.string() }).parse(Properties['DashboardBody']);
    const { widgets } = page.parse(JSON.parse(body));
    const places = widgets.map(({ x, y, width, height }) => {
      expect(x + width).toBeLessThanOrEqual(24);
      return `${String(x)},${String(y)},${String(width)},${String(height)}`;
    });
    expect(new Set(places).size).toBe(widgets.length);
    const drawn = widgets.flatMap(({ properties }) => properties.metrics);
    expect(drawn.length).toBeGreaterThan(50);
    for (const each of drawn) {
      const words = each.filter((one) => typeof one === 'string');
      const [namespace, metric = ''] = words;
      const sought = settings.safeParse(each[0]).data?.expression;
      if (sought !== undefined) {
        const [, dimensions = '', name = ''] = /\{Drayage,([\w,]+)\} MetricName="(\w+)"/.exec(sought) ?? [];
        expect({ sought, is: name in metrics }).toEqual({ sought, is: true });
        expect(dimensions.split(',').filter((one) => !(one in known))).toEqual([]);
      } else if (namespace === 'Drayage') {
        const dimensions = words.slice(2).filter((_, at) => at % 2 === 0);
        expect({ metric, is: metric in metrics }).toEqual({ metric, is: true });
        expect(dimensions.filter((one) => !(one in known))).toEqual([]);
      }
    }
    // Whatever CloudFormation is to put in, it can.
    expect([...body.matchAll(/\$\{(?!!)(.*?)\}/g)].map(([, name]) => name)).toEqual(
      widgets.map(() => 'AWS::Region'),
    );
    // What people are woken by is drawn with its threshold.
    const thresholds = widgets.flatMap(({ properties }) => properties.annotations?.horizontal ?? []);
    expect(thresholds.length).toBeGreaterThan(2);
    for (const { label, value } of thresholds) {
      const alarm = alarms().find(
        ([, alarmed]) => alarmed.Properties['AlarmName'] === `drayage-${stage}-${label}`,
      );
      expect({ label, value }).toEqual({ label, value: plainAlarm.parse(alarm?.[1].Properties).Threshold });
    }
  });
}
