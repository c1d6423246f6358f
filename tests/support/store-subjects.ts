import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { createJournal } from '../../shared/aws/journal.ts';
import { createPermits } from '../../shared/aws/permits.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import type { Journal, Permits, Store, Views } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { createMemoryJournal } from './memory-journal.ts';
import { createMemoryPermits } from './memory-permits.ts';
import { createMemoryStore } from './memory-store.ts';
import { MemoryTable } from './memory-table.ts';
import { createTestTable, hasJava, localClient, startTestDynamo } from './test-table.ts';

/** The ports over one table, whatever is behind them. */
export interface TablePorts {
  readonly store: Store;
  readonly permits: Permits;
  readonly journal: Journal;
  /** Pages of three, so that every listing has several. */
  readonly views: Views;
  readonly close: () => Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** How often a property is tried: the slow ones less often. */
  readonly runs: number;
  readonly open: () => Promise<TablePorts>;
}

const pageSize = 3;

/** Everything that claims to be the table's ports. */
export const subjects: readonly Subject[] = [
  { name: 'memory', runs: 50, open: openMemory },
  { name: 'dynoxide', runs: 25, open: async () => await openDynamo('dynoxide') },
  ...(hasJava
    ? [{ name: 'DynamoDB Local', runs: 6, open: async () => await openDynamo('dynamodb-local') }]
    : []),
];

async function openMemory(): Promise<TablePorts> {
  const table = new MemoryTable();
  return await Promise.resolve({
    store: createMemoryStore(table, { chance: machineChance }),
    permits: createMemoryPermits(table),
    journal: createMemoryJournal(table),
    views: createViews({ query: table.query, clock: machineClock, pageSize }),
    close: async () => {
      await Promise.resolve();
    },
  });
}

async function openDynamo(kind: Parameters<typeof startTestDynamo>[0]): Promise<TablePorts> {
  const dynamo = await startTestDynamo(kind);
  const table = 'drayage-test';
  const client = createDynamoClient(localClient(dynamo.endpoint));
  const onceClient = createDynamoOnceClient(localClient(dynamo.endpoint));
  await createTestTable(client, table);
  const basis = { client, table, clock: machineClock, chance: machineChance };
  return {
    store: createStore({ ...basis, onceClient }),
    permits: createPermits(basis),
    journal: createJournal(basis),
    views: createViews({ query: createQuery(basis), clock: machineClock, pageSize }),
    close: async () => {
      client.destroy();
      onceClient.destroy();
      await dynamo.stop();
    },
  };
}
