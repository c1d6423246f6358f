import * as z from 'zod';
import { ofType, propertiesOf, reference, referencesIn, type PackagedTemplate } from '../template.ts';
import type { Rule } from './rule.ts';

const queueProperties = z.object({
  VisibilityTimeout: z.int().default(30),
  MessageRetentionPeriod: z.int().default(345_600),
  RedrivePolicy: z.object({ deadLetterTargetArn: reference, maxReceiveCount: z.int().min(3) }).optional(),
});
const functionProperties = z.object({
  Timeout: z.int().optional(),
  MemorySize: z.int().optional(),
  ReservedConcurrentExecutions: z.int().optional(),
});
const mappingProperties = z.object({
  EventSourceArn: reference,
  FunctionName: reference,
  MaximumBatchingWindowInSeconds: z.int().default(0),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: z.int() }).optional(),
  BisectBatchOnFunctionError: z.boolean().default(false),
  MaximumRetryAttempts: z.int().default(-1),
  MaximumRecordAgeInSeconds: z.int().default(-1),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: reference }) }).optional(),
});

const queues = (template: PackagedTemplate) => propertiesOf(template, 'AWS::SQS::Queue', queueProperties);
const lambdas = (template: PackagedTemplate) =>
  propertiesOf(template, 'AWS::Lambda::Function', functionProperties);
const mappings = (template: PackagedTemplate) => [
  ...propertiesOf(template, 'AWS::Lambda::EventSourceMapping', mappingProperties),
];

/** Where messages end that nobody could work on. */
function deadQueues(template: PackagedTemplate): Set<string> {
  return new Set([
    ...[...queues(template).values()].flatMap(({ RedrivePolicy }) =>
      RedrivePolicy === undefined ? [] : [RedrivePolicy.deadLetterTargetArn],
    ),
    ...mappings(template).flatMap(([, { DestinationConfig }]) =>
      DestinationConfig === undefined ? [] : [DestinationConfig.OnFailure.Destination],
    ),
  ]);
}

const setsAside: Rule = {
  name: 'sets aside what a queue cannot deliver, and keeps it longer than the queue would',
  faults: (template) => {
    const all = queues(template);
    const dead = deadQueues(template);
    return [...all].flatMap(([id, { RedrivePolicy, MessageRetentionPeriod }]) => {
      if (dead.has(id)) return [];
      if (RedrivePolicy === undefined) return [`${id} has no queue for dead letters`];
      const kept = all.get(RedrivePolicy.deadLetterTargetArn)?.MessageRetentionPeriod ?? 0;
      return kept > MessageRetentionPeriod ? [] : [`${id} keeps its dead letters no longer than others`];
    });
  },
};

const tellsOfDeadLetters: Rule = {
  name: 'has an alarm on every queue of dead letters',
  faults: (template) => {
    const watched = ofType(template, 'AWS::CloudWatch::Alarm')
      .filter(([, { Properties }]) => Properties['MetricName'] === 'ApproximateNumberOfMessagesVisible')
      .flatMap(([, { Properties }]) => referencesIn(Properties['Dimensions']));
    return [...deadQueues(template)]
      .filter((id) => !watched.includes(id))
      .map((id) => `${id} fills and nobody is told`);
  },
};

const hides: Rule = {
  name: 'hides a message for as long as its function may be at it',
  faults: (template) => {
    const all = queues(template);
    return mappings(template).flatMap(
      ([id, { EventSourceArn, FunctionName, MaximumBatchingWindowInSeconds }]) => {
        const queue = all.get(EventSourceArn);
        const timeout = lambdas(template).get(FunctionName)?.Timeout ?? 3;
        return queue === undefined || queue.VisibilityTimeout >= timeout + MaximumBatchingWindowInSeconds
          ? []
          : [`${id}: a message of ${EventSourceArn} comes back while ${FunctionName} is at it`];
      },
    );
  },
};

const bounds: Rule = {
  name: 'bounds time, memory and number of every function',
  faults: (template) => {
    const scaled = new Set(
      mappings(template)
        .filter(([, { ScalingConfig }]) => ScalingConfig !== undefined)
        .map(([, { FunctionName }]) => FunctionName),
    );
    return [...lambdas(template)].flatMap(([id, { Timeout, MemorySize, ReservedConcurrentExecutions }]) => [
      ...(Timeout === undefined ? [`${id} has no time limit of its own`] : []),
      ...(MemorySize === undefined ? [`${id} has no memory of its own`] : []),
      ...(ReservedConcurrentExecutions === undefined && !scaled.has(id)
        ? [`${id} may run as often as it likes at once`]
        : []),
    ]);
  },
};

const answersOneByOne: Rule = {
  name: 'answers for each record by itself',
  faults: (template) =>
    mappings(template)
      .filter(([, { FunctionResponseTypes }]) => !FunctionResponseTypes.includes('ReportBatchItemFailures'))
      .map(([id]) => `${id} takes good records down with a bad one`),
};

const passesOver: Rule = {
  name: 'lets no record hold up its shard for good',
  faults: (template) => {
    const all = queues(template);
    return mappings(template)
      .filter(([, { EventSourceArn }]) => !all.has(EventSourceArn))
      .filter(
        ([, mapping]) =>
          !mapping.BisectBatchOnFunctionError ||
          mapping.MaximumRetryAttempts < 1 ||
          mapping.MaximumRetryAttempts > 100 ||
          mapping.MaximumRecordAgeInSeconds < 60 ||
          // Records are gone from the stream after a day.
          mapping.MaximumRecordAgeInSeconds >= 86_400 ||
          !all.has(mapping.DestinationConfig?.OnFailure.Destination ?? ''),
      )
      .map(([id]) => `${id} does not bound how long a bad record is tried`);
  },
};

export const workRules: readonly Rule[] = [
  setsAside,
  tellsOfDeadLetters,
  hides,
  bounds,
  answersOneByOne,
  passesOver,
];
