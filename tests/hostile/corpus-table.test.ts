import { paginateScan } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import { fromItem } from '../../shared/aws/wire.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { hostileCorpus } from '../support/hostile-corpus.ts';
import { HostileWorld, receivedAt } from '../support/hostile-world.ts';
import { createTestTable, localClient, startTestDynamo } from '../support/test-table.ts';

const table = 'hostile';

test('every hostile event is kept in a real table, and nothing else in it changes', async () => {
  const dynamo = await startTestDynamo('dynoxide');
  const client = createDynamoClient(localClient(dynamo.endpoint));
  const onceClient = createDynamoOnceClient(localClient(dynamo.endpoint));
  const basis = { client, table, clock: machineClock, chance: machineChance };
  const rows = async () => {
    const found: Readonly<Record<string, unknown>>[] = [];
    for await (const { Items } of paginateScan({ client }, { TableName: table }))
      found.push(...(Items ?? []).map(fromItem));
    return found;
  };
  const others = async () => (await rows()).filter(({ kind }) => kind !== 'request');
  try {
    await createTestTable(client, table);
    const world = await HostileWorld.over(createStore({ ...basis, onceClient }), createQuery(basis));
    const before = await others();
    const corpus = hostileCorpus();
    for (const { topic, text } of corpus) await world.deliver(topic, text);

    expect(await others()).toEqual(before);
    expect(world.bus.sent).toEqual([]);
    const heads = new Set(
      corpus.map(({ topic, text }) => {
        const { head } =
          topic === 'requests' ? parseRequest(text, receivedAt) : parseHostChange(text, receivedAt);
        return `${head.source} ${head.id} ${head.bodyHash}`;
      }),
    );
    const views = createViews({ query: createQuery(basis), clock: machineClock, pageSize: 100 });
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const { items, cursor: next } = await views.refusalsAt('2026-11-21T09', cursor);
      listed.push(...items.map(({ source, id }) => `${source} ${id}`));
      cursor = next;
    } while (cursor !== undefined);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toHaveLength(heads.size);
    expect((await rows()).filter(({ kind }) => kind === 'request')).toHaveLength(heads.size);
  } finally {
    client.destroy();
    onceClient.destroy();
    await dynamo.stop();
  }
}, 120_000);
