import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { createBus } from '../../shared/aws/bus.ts';
import { createSnsClient, createSqsClient } from '../../shared/aws/clients.ts';
import {
  dispatchMessage,
  hostSweepMessage,
  planMessage,
  workMessage,
} from '../../shared/contracts/messages.ts';
import { batchId } from '../../shared/domain/ids.ts';
import type { Announcement, Bus } from '../../shared/ports/bus.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { MemoryBus } from '../support/memory-bus.ts';
import { startTestMessaging, type TestServer } from '../support/test-messaging.ts';
import { localClient } from '../support/test-table.ts';

const batch = batchId(`bt_${'0'.repeat(20)}`);

describe('the bus over queues and a topic', () => {
  const urls = new Map<string, string>();
  let server: TestServer;
  let sqs: SQSClient;
  let bus: Bus;
  const close: (() => void)[] = [];

  beforeAll(async () => {
    server = await startTestMessaging();
    sqs = createSqsClient(localClient(server.endpoint));
    const sns = createSnsClient(localClient(server.endpoint));
    close.push(() => {
      sqs.destroy();
      sns.destroy();
    });
    for (const name of ['plan', 'dispatch', 'sweep', 'transfer', 'cutover', 'heard']) {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
      urls.set(name, QueueUrl ?? '');
    }
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'announcements' }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: urls.get('heard'), AttributeNames: ['QueueArn'] }),
    );
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: Attributes?.QueueArn,
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
    bus = createBus({
      sqs,
      sns,
      queues: {
        plan: urls.get('plan') ?? '',
        dispatch: urls.get('dispatch') ?? '',
        hostSweep: urls.get('sweep') ?? '',
        transfer: urls.get('transfer') ?? '',
        cutover: urls.get('cutover') ?? '',
      },
      announcements: TopicArn ?? '',
      notifications: TopicArn ?? '',
      requests: TopicArn ?? '',
      hostChanges: TopicArn ?? '',
      source: 'drayage/test',
      clock: machineClock,
      chance: machineChance,
    });
  });
  afterAll(async () => {
    for (const each of close) each();
    await server.stop();
  });

  interface Received {
    readonly body: string;
    readonly type: string | undefined;
    readonly kind: string | undefined;
    readonly about: string | undefined;
  }

  async function received(queue: string, count: number): Promise<Received[]> {
    const found: Received[] = [];
    while (found.length < count) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: urls.get(queue),
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 2,
          MessageAttributeNames: ['All'],
        }),
      );
      if (Messages.length === 0) return found;
      found.push(
        ...Messages.map(({ Body = '', MessageAttributes }) => ({
          body: Body,
          type: MessageAttributes?.['type']?.StringValue,
          kind: MessageAttributes?.['kind']?.StringValue,
          about: MessageAttributes?.['about']?.StringValue,
        })),
      );
      await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: urls.get(queue),
          Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
    }
    return found;
  }

  test('carries each message to its queue, in the form that its function reads', async () => {
    await bus.sendPlan({ batch });
    await bus.sendDispatch({});
    await bus.sendDispatch({ batch });
    await bus.sendHostSweep('alpha');
    await bus.sendWork({ kind: 'dead-man', task: 'mv_1', phase: 'cutover', token: 7 }, 0);
    const read = async (queue: string, count: number): Promise<unknown[]> =>
      (await received(queue, count)).map(({ body }): unknown => JSON.parse(body));
    expect((await read('plan', 1)).map((each) => planMessage.parse(each))).toEqual([{ batch }]);
    const dispatches = (await read('dispatch', 2)).map((each) => dispatchMessage.parse(each));
    expect(dispatches).toHaveLength(2);
    expect(dispatches).toEqual(expect.arrayContaining([{}, { batch }]));
    expect((await read('sweep', 1)).map((each) => hostSweepMessage.parse(each))).toEqual([{ host: 'alpha' }]);
    expect((await read('cutover', 1)).map((each) => workMessage.parse(each))).toEqual([
      { kind: 'dead-man', task: 'mv_1', phase: 'cutover', token: 7 },
    ]);
  });

  test('carries thirty-seven messages of one moment, each exactly once', async () => {
    const tasks = Array.from({ length: 37 }, (_, index) => `mv_${String(index)}`);
    await Promise.all(
      tasks.map(async (task) => {
        await bus.sendWork({ kind: 'work', task, phase: 'transfer' }, 0);
      }),
    );
    const found = await received('transfer', tasks.length);
    const told = found.map(({ body }) => workMessage.parse(JSON.parse(body)).task);
    expect(told.toSorted()).toEqual(tasks.toSorted());
    expect(Math.max(...found.map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(1_000);
  });

  test('holds a message back that is to come later, each in a batch for its own time', async () => {
    await Promise.all([
      bus.sendWork({ kind: 'work', task: 'now', phase: 'transfer' }, 0),
      bus.sendWork({ kind: 'work', task: 'soon', phase: 'transfer' }, 60_001),
      bus.sendWork({ kind: 'work', task: 'in an hour', phase: 'transfer' }, 3_600_000),
    ]);
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: urls.get('transfer'),
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'],
      }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesDelayed: '2',
    });
    expect(await received('transfer', 1)).toHaveLength(1);
  });

  test('refuses work for a phase that has no queue, by the name of the phase', async () => {
    await expect(bus.sendWork({ kind: 'work', task: 'mv_1', phase: 'repaint' }, 0)).rejects.toThrow(
      /"repaint"/,
    );
  });

  test('announces CloudEvents, any number at once, with their type to filter by', async () => {
    const announcements = Array.from({ length: 23 }, (_, index): Announcement => ({
      id: `e${String(index)}`,
      type: 'endpoint.moved',
      subject: `tenant-${String(index)}`,
      at: 1_763_716_200_000,
      // Three of these fill a call.
      data: { epoch: index, padding: 'x'.repeat(index < 5 ? 100_000 : 10) },
    }));
    await bus.announce(announcements);
    await bus.announce([]);
    const heard = await received('heard', announcements.length);
    expect(heard.map(({ type }) => type)).toEqual(heard.map(() => 'endpoint.moved'));
    const events = heard.map(({ body }): unknown => JSON.parse(body));
    expect(events).toHaveLength(23);
    expect(events).toContainEqual({
      specversion: '1.0',
      id: 'e22',
      source: 'drayage/test',
      type: 'endpoint.moved',
      subject: 'tenant-22',
      time: '2025-11-21T09:10:00.000Z',
      datacontenttype: 'application/json',
      data: { epoch: 22, padding: 'xxxxxxxxxx' },
    });
  });

  test('publishes what was posted to the API as whoever posted it would have', async () => {
    const basis = {
      source: '/api-keys/k1',
      bodyHash: 'x',
      outcome: { kind: 'pending' },
      receivedAt: 1_790_000_000_000,
      version: 1,
    } as const;
    await bus.publish([
      {
        ...basis,
        id: 'p1',
        type: 'command.requested',
        posted: { to: '/batches/bt_00000000000000000000/pause', body: '{"reason":"it\'s \\"lunch\\""}' },
      },
      {
        ...basis,
        id: 'p2',
        type: 'host.cordoned',
        posted: { to: '/hosts/a/cordon', body: '{"reason":"r"}' },
      },
      { ...basis, id: 'published by itself', type: 'command.requested' },
    ]);
    const envelope = { specversion: '1.0', source: '/api-keys/k1', time: '2026-09-21T14:13:20.000Z' };
    const told = await received('heard', 2);
    expect(told.map(({ body }): unknown => JSON.parse(body))).toEqual([
      {
        ...envelope,
        id: 'p1',
        type: 'command.requested',
        data: { reason: 'it\'s "lunch"', batch: 'bt_00000000000000000000', verb: 'pause' },
      },
      { ...envelope, id: 'p2', type: 'host.cordoned', data: { reason: 'r', host: 'a' } },
    ]);
  });

  test('tells people in plain words, and programs in attributes', async () => {
    await bus.notify([
      {
        id: 'mv_1:stuck:1',
        kind: 'move-stuck',
        subject: 'the move of shöp is stuck\n',
        what: 'The move of shöp has stopped.',
        why: ['b has too little room (no-space)'],
        next: ['make room on b', 'dray explain shöp'],
        about: { endpoint: 'shöp', run: 1 },
        at: 1_763_716_200_000,
        version: 1,
      },
    ]);
    expect(await received('heard', 1)).toEqual([
      {
        body: 'The move of shöp has stopped.\n\nWhy:\n  b has too little room (no-space)\n\nWhat next:\n  make room on b\n  dray explain shöp\n',
        type: undefined,
        kind: 'move-stuck',
        about: '{"endpoint":"shöp","run":1}',
      },
    ]);
  });
});

test('the bus in memory keeps the same messages, with the time at which they are due', async () => {
  const bus = new MemoryBus({ now: () => 5_000 });
  await bus.sendWork({ kind: 'work', task: 'mv_1', phase: 'transfer' }, 1_500);
  await bus.sendPlan({ batch }, 3_600_000);
  expect(bus.sent.map(({ queue, at }) => [queue, at])).toEqual([
    ['transfer', 7_000],
    ['plan', 905_000],
  ]);
  expect(workMessage.parse(JSON.parse(bus.sent[0]?.text ?? ''))).toEqual({
    kind: 'work',
    task: 'mv_1',
    phase: 'transfer',
  });
});
