import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBlobs } from '../../shared/aws/blobs.ts';
import { createS3Client, createSnsClient, createSqsClient } from '../../shared/aws/clients.ts';
import { createSender } from '../../shared/aws/queue.ts';
import { createPublisher } from '../../shared/aws/topic.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { belowRetries, cloudFaults, Faults } from '../support/cloud-faults.ts';
import { startTestMessaging, type TestServer } from '../support/test-messaging.ts';
import { localClient } from '../support/test-table.ts';

const fate = { clock: machineClock, chance: machineChance };
const patience = { tries: 5, baseMs: 5, capMs: 20 };
/** Only a table has conflicts. */
const faultsOfOthers = cloudFaults.filter((fault) => fault !== 'in-conflict');

let messaging: TestServer;

beforeAll(async () => {
  messaging = await startTestMessaging();
});
afterAll(async () => {
  await messaging.stop();
});

describe.each(faultsOfOthers)('when a call of a queue, a topic or a bucket is %s', (fault) => {
  test('a message and an announcement go out at least once, and a body is kept as it was', async () => {
    const settings = localClient(messaging.endpoint);
    const clients = [createSqsClient(settings), createSnsClient(settings), createS3Client(settings)] as const;
    const [sqs, sns, s3] = clients;
    try {
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `q-${fault}` }));
      const { QueueUrl: heard = '' } = await sqs.send(
        new CreateQueueCommand({ QueueName: `heard-${fault}` }),
      );
      const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `t-${fault}` }));
      await sns.send(
        new SubscribeCommand({
          TopicArn,
          Protocol: 'sqs',
          Endpoint: `arn:aws:sqs:eu-central-1:000000000000:heard-${fault}`,
          Attributes: { RawMessageDelivery: 'true' },
        }),
      );
      await s3.send(new CreateBucketCommand({ Bucket: `b-${fault}` }));
      const faults = new Faults();
      const spoil: typeof faults.pass = async (send) => faults.pass(send);
      sqs.middlewareStack.add((next) => async (args) => spoil(() => next(args)), belowRetries);
      sns.middlewareStack.add((next) => async (args) => spoil(() => next(args)), belowRetries);
      s3.middlewareStack.add((next) => async (args) => spoil(() => next(args)), belowRetries);
      const bodies = async (url: string): Promise<Set<string | undefined>> => {
        const request = { QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
        return new Set(Messages.map(({ Body }) => Body));
      };

      const send = createSender({ client: sqs, url: QueueUrl, ...fate, patience, lanes: 1 });
      faults.next.push(fault);
      await send('a pointer', 0);
      expect(await bodies(QueueUrl)).toEqual(new Set(['a pointer']));
      faults.next.push(fault);
      await Promise.all(['one', 'two', 'three'].map(async (body) => send(body, 0)));
      expect(await bodies(QueueUrl)).toEqual(new Set(['one', 'two', 'three']));

      const publish = createPublisher({ client: sns, arn: TopicArn, ...fate, patience });
      faults.next.push(fault);
      await publish([{ text: 'news', attributes: { type: 'endpoint.moved' } }]);
      expect(await bodies(heard)).toEqual(new Set(['news']));

      const blobs = createBlobs({ client: s3, bucket: `b-${fault}` });
      faults.next.push(fault);
      const check = await blobs.put({ some: 'body' });
      faults.next.push(fault);
      expect(await blobs.get(check)).toEqual({ some: 'body' });
      expect(faults.next).toEqual([]);
    } finally {
      for (const client of clients) client.destroy();
    }
  });
});
