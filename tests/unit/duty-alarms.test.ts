import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { queueNames } from '../../cli/dead-letters.ts';
import { Alarm, comparisons, missingDatas, statistics } from '../../local/alarms/alarm.ts';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { MetricStore } from '../../local/metrics/metric-store.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { createMeter } from '../../shared/runtime/meter.ts';
import { noteTurns } from '../../shared/workflow/move-figures.ts';
import { fanOutHostSweep, sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { MoveBench } from '../support/move-bench.ts';
import { moveOf, states } from '../support/sample-batch.ts';

const resources = join(import.meta.dirname, '..', '..', 'resources');
const file = z.object({
  alarms: z.custom<(context: object) => Promise<unknown>>((it) => typeof it === 'function'),
});
const made = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Properties: z.object({
        AlarmName: z.string(),
        Namespace: z.string(),
        MetricName: z.string(),
        Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })),
        Statistic: z.enum(statistics),
        Period: z.number(),
        EvaluationPeriods: z.number(),
        Threshold: z.number(),
        ComparisonOperator: z.enum(comparisons),
        TreatMissingData: z.enum(missingDatas),
      }),
    }),
  ),
});

const parameters: Readonly<Record<string, string>> = {
  'sls:stage': 'test',
  'param:alarmScope': 'own',
  'param:alarmSilenceMs': '600000',
  'param:alarmRetainedBytes': '1000',
  'param:alarmRecordsFailed': '20',
};

/** Which alarms of every stage are on, when the figures in these lines are all that there are. */
async function raisedBy(lines: readonly string[]): Promise<string[]> {
  const { alarms } = file.parse(createRequire(import.meta.url)(join(resources, 'duty-alarms.cjs')));
  const { Resources } = made.parse(
    await alarms({ resolveVariable: (name: string) => Promise.resolve(parameters[name] ?? '1') }),
  );
  const store = new MetricStore();
  const all = Object.entries(Resources).map(([logicalId, { Properties: told }]) => {
    const series = {
      namespace: told.Namespace,
      metric: told.MetricName,
      dimensions: Object.fromEntries(told.Dimensions.map(({ Name, Value }) => [Name, Value])),
    };
    store.watch(series, 86_400_000);
    const spec = {
      logicalId,
      name: told.AlarmName,
      arn: `arn:alarm:${logicalId}`,
      region: 'eu-central-1',
      description: undefined,
      series,
      statistic: told.Statistic,
      comparison: told.ComparisonOperator,
      missingData: told.TreatMissingData,
      threshold: told.Threshold,
      periodMs: told.Period * 1_000,
      // One look at one period: how many of them an alarm waits for is the embedded cloud's own test.
      periods: 1,
      datapoints: 1,
      actions: { ALARM: [], OK: [], INSUFFICIENT_DATA: [] },
    };
    return new Alarm(spec, store, () => Promise.resolve());
  });
  for (const line of lines) for (const figures of figuresIn(line)) store.add(figures);
  const now = Date.now() + 1_000;
  for (const alarm of all) await alarm.evaluate(now);
  return all
    .filter(({ state }) => state === 'ALARM')
    .map(({ spec }) => spec.name.replace('drayage-test-', ''))
    .sort();
}

/** What functions write while they do this. */
async function linesOf(act: (bench: MoveBench) => Promise<void>): Promise<string[]> {
  const bench = new MoveBench();
  const meter = createMeter('test', { now: Date.now });
  Object.assign(bench.services, { meter });
  const lines: string[] = [];
  const hear = (text: unknown): boolean => {
    lines.push(...String(text).split('\n'));
    return true;
  };
  const heard = [
    jest.spyOn(process.stdout, 'write').mockImplementation(hear),
    jest.spyOn(console, 'log').mockImplementation(hear),
  ];
  await act(bench);
  meter.flush();
  for (const each of heard) each.mockRestore();
  return lines;
}

const soon = { remainingMs: () => 60_000 };
const move = moveOf(1, 'shop', states.running('copy'));

async function sweeps({ services }: MoveBench): Promise<void> {
  await sweepRows(services, soon);
  await fanOutHostSweep(services);
}

test.each<[string, (bench: MoveBench) => Promise<void>, string[]]>([
  ['while all is well', sweeps, []],
  ['when nothing is heard', async () => undefined, ['sweep-hosts-missing', 'sweep-rows-missing']],
  [
    'of a move that gets stuck',
    async (bench) => {
      await sweeps(bench);
      noteTurns(bench.services.meter, [{ before: move, after: moveOf(1, 'shop', states.stuck) }]);
    },
    ['stuck'],
  ],
  [
    'of a move of which nobody takes notice',
    async (bench) => {
      await bench.begin();
      bench.clock.pass(660_000);
      await sweeps(bench);
    },
    ['standstill'],
  ],
  [
    'of a slot that makes its host keep much',
    async (bench) => {
      await sweeps(bench);
      await bench.addHost('a');
      await bench.services.store.insert('move', move);
      const driver = await bench.services.driver('simulated');
      const item = { key: 'slot:s', kind: 'slot', name: 's', systemIdentifier: 'a' };
      const findResidue = () => Promise.resolve([{ move: move.id, run: 1, item, retainedBytes: 1_001 }]);
      const services = { ...bench.services, driver: () => Promise.resolve({ ...driver, findResidue }) };
      await sweepHost(services, hostName('a'));
    },
    ['retained-wal'],
  ],
  [
    'of a pause that was longer than allowed',
    async (bench) => {
      await sweeps(bench);
      await bench.begin();
      bench.beforeCall = (call) => {
        // The budget of its policy is shorter than this.
        if (call === 'settle') bench.clock.pass(4_000);
      };
      await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'retire');
    },
    ['pause-over-budget'],
  ],
  [
    'of messages on which functions fail again and again',
    async (bench) => {
      await sweeps(bench);
      // As functions behind queues do.
      for (let nth = 0; nth < 21; nth += 1)
        bench.services.meter.note('RecordsFailed', 1, { function: 'plan-batch' }, {});
    },
    ['records-failed'],
  ],
])('people are woken by what functions write: %s', async (_, act, expected) => {
  expect(await raisedBy(await linesOf(act))).toEqual(expected);
});

test('dray finds dead letters of every queue by which people are woken', () => {
  const watched = z.object({ queues: z.array(z.string()) });
  const { queues } = watched.parse(createRequire(import.meta.url)(join(resources, 'watched.cjs')));
  expect(queueNames).toEqual(queues);
});
