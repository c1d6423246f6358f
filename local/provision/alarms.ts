import { z } from 'zod';
import { comparisons, missingDatas, statistics, type AlarmSpec } from '../alarms/alarm.ts';
import type { Stack } from '../template/stack.ts';

const flag = z.union([z.boolean(), z.stringbool()]);
const arns = z.array(z.string()).default([]);
const alarmProperties = z.object({
  AlarmDescription: z.string().optional(),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.coerce.string() })).default([]),
  Statistic: z.enum(statistics),
  Period: z.coerce.number().positive(),
  EvaluationPeriods: z.coerce.number().int().positive(),
  DatapointsToAlarm: z.coerce.number().int().positive().optional(),
  Threshold: z.coerce.number(),
  ComparisonOperator: z.enum(comparisons),
  TreatMissingData: z.enum(missingDatas).default('missing'),
  ActionsEnabled: flag.default(true),
  AlarmActions: arns,
  OKActions: arns,
  InsufficientDataActions: arns,
});

/** The template's alarms on one statistic of one metric; of any other form, their logical ids only. */
export function provisionAlarms(stack: Stack): {
  readonly specs: readonly AlarmSpec[];
  readonly refused: readonly string[];
} {
  const specs: AlarmSpec[] = [];
  const refused: string[] = [];
  for (const { logicalId, properties } of stack.ofType('AWS::CloudWatch::Alarm')) {
    const parsed = alarmProperties.safeParse(properties);
    if (!parsed.success) {
      refused.push(logicalId);
      continue;
    }
    const told = parsed.data;
    const actions = (wanted: readonly string[]): readonly string[] => (told.ActionsEnabled ? wanted : []);
    specs.push({
      logicalId,
      name: stack.ref(logicalId),
      arn: stack.arn(logicalId),
      region: stack.region,
      description: told.AlarmDescription,
      series: {
        namespace: told.Namespace,
        metric: told.MetricName,
        dimensions: Object.fromEntries(told.Dimensions.map(({ Name, Value }) => [Name, Value])),
      },
      statistic: told.Statistic,
      comparison: told.ComparisonOperator,
      missingData: told.TreatMissingData,
      threshold: told.Threshold,
      periodMs: told.Period * 1_000,
      periods: told.EvaluationPeriods,
      datapoints: told.DatapointsToAlarm ?? told.EvaluationPeriods,
      actions: {
        ALARM: actions(told.AlarmActions),
        OK: actions(told.OKActions),
        INSUFFICIENT_DATA: actions(told.InsufficientDataActions),
      },
    });
  }
  return { specs, refused };
}
