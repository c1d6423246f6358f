import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { z } from 'zod';
import type { Stack } from '../template/stack.ts';
import type { ProvisionClients } from './clients.ts';

const flag = z.union([z.boolean(), z.string()]).transform(String);

const subscriptionAttributes = z.object({
  RawMessageDelivery: flag.optional(),
  FilterPolicy: z
    .union([z.string(), z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value))])
    .optional(),
  FilterPolicyScope: z.string().optional(),
});

const subscriptionProperties = subscriptionAttributes.extend({
  TopicArn: z.string(),
  Protocol: z.string(),
  Endpoint: z.string(),
});

const topicProperties = z.object({
  FifoTopic: flag.optional(),
  ContentBasedDeduplication: flag.optional(),
  Subscription: z.array(z.object({ Protocol: z.string(), Endpoint: z.string() })).default([]),
});

type Subscription = z.infer<typeof subscriptionProperties>;

/** Creates the topics and makes their subscriptions exactly those of the template. Answers the refused protocols. */
export async function provisionTopics(stack: Stack, { sns }: ProvisionClients): Promise<Subscription[]> {
  const wanted = stack
    .ofType('AWS::SNS::Subscription')
    .map((one) => subscriptionProperties.parse(one.properties));
  for (const resource of stack.ofType('AWS::SNS::Topic')) {
    const { Subscription: inline, ...attributes } = topicProperties.parse(resource.properties);
    const arn = stack.arn(resource.logicalId);
    await sns.send(
      new CreateTopicCommand({
        Name: arn.split(':').at(-1) ?? '',
        Attributes: Object.fromEntries(
          Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
        ),
      }),
    );
    wanted.push(...inline.map((one) => ({ ...one, TopicArn: arn })));
    const existing = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: arn }));
    for (const { Endpoint, SubscriptionArn } of existing.Subscriptions ?? []) {
      if (wanted.some((one) => one.TopicArn === arn && one.Endpoint === Endpoint)) continue;
      await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    }
  }
  const queues = wanted.filter(({ Protocol }) => Protocol === 'sqs');
  for (const subscription of queues) await subscribe(subscription, sns);
  return wanted.filter((one) => !queues.includes(one));
}

async function subscribe(subscription: Subscription, sns: ProvisionClients['sns']): Promise<void> {
  const { TopicArn, Protocol, Endpoint, ...rest } = subscription;
  const known = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const arn = known.Subscriptions?.find((one) => one.Endpoint === Endpoint)?.SubscriptionArn;
  const attributes = Object.entries({ RawMessageDelivery: 'false', FilterPolicy: '{}', ...rest }).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, value] as const]),
  );
  if (arn === undefined) {
    const given = attributes.filter(([, value]) => value !== '{}');
    await sns.send(
      new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes: Object.fromEntries(given) }),
    );
    return;
  }
  for (const [AttributeName, AttributeValue] of attributes) {
    await sns.send(
      new SetSubscriptionAttributesCommand({ SubscriptionArn: arn, AttributeName, AttributeValue }),
    );
  }
}
