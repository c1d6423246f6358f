import { CreateQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { Stack } from '../template/stack.ts';
import type { ProvisionClients } from './clients.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const queueProperties = z.object({
  QueueName: z.string().optional(),
  VisibilityTimeout: scalar.optional(),
  DelaySeconds: scalar.optional(),
  MessageRetentionPeriod: scalar.optional(),
  MaximumMessageSize: scalar.optional(),
  ReceiveMessageWaitTimeSeconds: scalar.optional(),
  FifoQueue: scalar.optional(),
  ContentBasedDeduplication: scalar.optional(),
  RedrivePolicy: z
    .union([
      z.string(),
      z.looseObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() }),
    ])
    .optional(),
});

/** Creates the queues, or brings those of an earlier start to the template's attributes. */
export async function provisionQueues(stack: Stack, { sqs }: ProvisionClients): Promise<void> {
  const queues = stack.ofType('AWS::SQS::Queue').map((resource) => ({
    name: stack.arn(resource.logicalId).split(':').at(-1) ?? '',
    properties: queueProperties.parse(resource.properties),
  }));
  for (const { name, properties } of queues) {
    const { QueueName: _, RedrivePolicy: redrive, FifoQueue: fifo, ...rest } = properties;
    const attributes = Object.fromEntries(
      Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    );
    const redrivePolicy =
      redrive === undefined ? '' : typeof redrive === 'string' ? redrive : JSON.stringify(redrive);
    try {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      await sqs.send(
        new SetQueueAttributesCommand({
          QueueUrl,
          Attributes: { ...attributes, RedrivePolicy: redrivePolicy },
        }),
      );
    } catch (error) {
      if (!(error instanceof Error) || !/NonExistent|DoesNotExist/.test(error.name)) throw error;
      await sqs.send(
        new CreateQueueCommand({
          QueueName: name,
          Attributes: {
            ...attributes,
            ...(redrivePolicy === '' ? {} : { RedrivePolicy: redrivePolicy }),
            ...(fifo === 'true' ? { FifoQueue: 'true' } : {}),
          },
        }),
      );
    }
  }
}
