import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBlobs } from '../../shared/aws/blobs.ts';
import {
  createDynamoClient,
  createDynamoOnceClient,
  createS3Client,
  createSqsClient,
} from '../../shared/aws/clients.ts';
import { createJournal } from '../../shared/aws/journal.ts';
import { createPermits } from '../../shared/aws/permits.ts';
import { createSender } from '../../shared/aws/queue.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import { moveId } from '../../shared/domain/ids.ts';
import type { HistoryEntry } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { belowRetries, cloudFaults, Faults } from '../support/cloud-faults.ts';
import { sample } from '../support/samples.ts';
import { startTestMessaging, type TestServer } from '../support/test-messaging.ts';
import { createTestTable, localClient, startTestDynamo, type TestDynamo } from '../support/test-table.ts';

const table = 'faulty';
const fate = { clock: machineClock, chance: machineChance };
const patience = { tries: 5, baseMs: 5, capMs: 20 };
const [mine, other] = [moveId(`mv_${'1'.repeat(16)}`), moveId(`mv_${'2'.repeat(16)}`)];

let dynamo: TestDynamo;
let messaging: TestServer;
let ports: ReturnType<typeof openTable>;

beforeAll(async () => {
  [dynamo, messaging] = await Promise.all([startTestDynamo('dynoxide'), startTestMessaging()]);
  ports = openTable(dynamo.endpoint);
  await createTestTable(ports.client, table);
});
afterAll(async () => {
  ports.client.destroy();
  ports.onceClient.destroy();
  await Promise.all([dynamo.stop(), messaging.stop()]);
});

function openTable(endpoint: string) {
  const client = createDynamoClient(localClient(endpoint));
  const onceClient = createDynamoOnceClient(localClient(endpoint));
  const faults = new Faults();
  client.middlewareStack.add((next) => async (args) => faults.pass(() => next(args)), belowRetries);
  const basis = { client, table, ...fate, patience };
  return {
    client,
    onceClient,
    faults,
    store: createStore({ ...basis, onceClient }),
    permits: createPermits(basis),
    journal: createJournal(basis),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
  };
}

/** A host's row with room for one move, held by `held`. */
async function hostWith(held: readonly (typeof mine)[]) {
  const host = { ...sample('host'), permitsOut: held, permitsIn: [], reserved: {} };
  await ports.store.insert('host', host);
  const row = async () => {
    const found = await ports.store.load('host', { name: host.name });
    return { out: found?.permitsOut, reserved: found?.reserved };
  };
  return { name: host.name, row };
}

describe.each(cloudFaults)('when a call is %s', (fault) => {
  const spoiled = async <T>(call: () => Promise<T>): Promise<T> => {
    ports.faults.next.push(fault);
    try {
      return await call();
    } finally {
      expect(ports.faults.next).toEqual([]);
    }
  };

  test('a permit is taken once, and nobody else can have it', async () => {
    const { name, row } = await hostWith([]);
    expect(await spoiled(async () => ports.permits.take(name, 'out', mine, 1))).toBe(true);
    expect(await spoiled(async () => ports.permits.take(name, 'out', other, 1))).toBe(false);
    expect((await row()).out).toEqual([mine]);
  });

  test('a permit is given back, and only that one', async () => {
    const { name, row } = await hostWith([mine, other]);
    await spoiled(async () => ports.permits.giveBack(name, 'out', mine));
    expect((await row()).out).toEqual([other]);
  });

  test('space is set aside once, and given back', async () => {
    const { name, row } = await hostWith([]);
    await spoiled(async () => ports.permits.reserve(name, mine, 5_000));
    expect((await row()).reserved).toEqual({ [mine]: 5_000 });
    await spoiled(async () => ports.permits.unreserve(name, mine));
    expect((await row()).reserved).toEqual({});
  });

  test('a record is made, changed and removed once', async () => {
    const record = sample('cleanup');
    expect(await spoiled(async () => ports.store.insert('cleanup', record))).toBe('inserted');
    const answer = await spoiled(async () => ports.store.commit('cleanup', record, { ...record, items: [] }));
    expect(answer).toMatchObject({ kind: 'committed', record: { version: 2 } });
    if (answer.kind !== 'committed') throw new Error('not committed');
    expect(await spoiled(async () => ports.store.load('cleanup', record))).toEqual(answer.record);
    expect(await spoiled(async () => ports.store.remove('cleanup', answer.record))).toBe('removed');
  });

  test('a history has every entry, and each once', async () => {
    const move = moveId(`mv_${String(cloudFaults.indexOf(fault)).repeat(16)}`);
    const entry = { move, at: 4_000_000_000_000, by: 'test', fact: 'x', from: 'a', to: 'b' };
    const entries = Array.from({ length: 30 }, (_, nth): HistoryEntry => ({ ...entry, version: nth + 1 }));
    await spoiled(async () => ports.journal.append(entries));
    const { items } = await spoiled(async () => ports.views.history(move));
    expect(items.map(({ version }) => version)).toEqual(entries.map(({ version }) => version));
  });

  test('a message is sent at least once, and a body is kept as it was', async () => {
    const [sqs, s3] = [
      createSqsClient(localClient(messaging.endpoint)),
      createS3Client(localClient(messaging.endpoint)),
    ];
    try {
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `q-${fault}` }));
      await s3.send(new CreateBucketCommand({ Bucket: `b-${fault}` }));
      const faults = new Faults();
      sqs.middlewareStack.add((next) => async (args) => faults.pass(() => next(args)), belowRetries);
      s3.middlewareStack.add((next) => async (args) => faults.pass(() => next(args)), belowRetries);

      const send = createSender({ client: sqs, url: QueueUrl, ...fate, patience, lanes: 1 });
      faults.next.push(fault);
      await send('a pointer', 0);
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      expect(new Set(Messages.map(({ Body }) => Body))).toEqual(new Set(['a pointer']));

      const blobs = createBlobs({ client: s3, bucket: `b-${fault}` });
      faults.next.push(fault);
      const check = await blobs.put({ some: 'body' });
      faults.next.push(fault);
      expect(await blobs.get(check)).toEqual({ some: 'body' });
      expect(faults.next).toEqual([]);
    } finally {
      sqs.destroy();
      s3.destroy();
    }
  });
});
