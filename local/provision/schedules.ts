import { z } from 'zod';
import type { ScheduleSpec } from '../sources/schedule.ts';
import { ACCOUNT_ID, type Stack } from '../template/stack.ts';

const target = z.object({ Arn: z.string(), Input: z.string().optional() });

const ruleProperties = z.object({
  ScheduleExpression: z.string().optional(),
  State: z.string().default('ENABLED'),
  Targets: z.array(target).default([]),
});

const scheduleProperties = z.object({
  ScheduleExpression: z.string(),
  State: z.string().default('ENABLED'),
  Target: target,
});

/** The template's schedules: EventBridge rules that have an expression, and EventBridge Scheduler's. */
export function provisionSchedules(stack: Stack): ScheduleSpec[] {
  const rules = stack.ofType('AWS::Events::Rule').flatMap(({ logicalId, properties }) => {
    const { ScheduleExpression: expression, State, Targets } = ruleProperties.parse(properties);
    return expression === undefined ? [] : [describe(stack, logicalId, expression, State, Targets)];
  });
  const schedules = stack.ofType('AWS::Scheduler::Schedule').map(({ logicalId, properties }) => {
    const { ScheduleExpression: expression, State, Target } = scheduleProperties.parse(properties);
    return describe(stack, logicalId, expression, State, [Target]);
  });
  return [...rules, ...schedules];
}

function describe(
  stack: Stack,
  logicalId: string,
  expression: string,
  state: string,
  targets: readonly z.infer<typeof target>[],
): ScheduleSpec {
  return {
    logicalId,
    name: stack.ref(logicalId),
    arn: stack.arn(logicalId),
    expression,
    enabled: state === 'ENABLED',
    region: stack.region,
    accountId: ACCOUNT_ID,
    targets: targets.map(({ Arn, Input }) => ({ arn: Arn, input: Input })),
  };
}
