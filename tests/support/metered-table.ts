import { Agent, createServer } from 'node:http';
import { createDynamoProxy } from '../../local/servers/dynamo-proxy.ts';
import { freePort } from '../../local/servers/ports.ts';
import { WriteMeter } from '../../local/servers/write-meter.ts';
import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { projectedIndexes } from '../../shared/aws/projections.ts';
import type { Patience } from '../../shared/aws/patience.ts';
import { createPermits } from '../../shared/aws/permits.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import type { Permits, Store, Views } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { createTestTable, localClient, startTestDynamo } from './test-table.ts';

export interface MeteredTable {
  readonly store: Store;
  readonly permits: Permits;
  readonly views: Views;
  readonly meter: WriteMeter;
  readonly close: () => Promise<void>;
}

/** What the meter calls it. */
export const tableName = 'metered';

/**
 * A table behind a meter that counts write units, by kind of record too, and, with a limit, throttles hot keys as AWS
 * does.
 */
export async function openMeteredTable(limitPerKey?: number, patience?: Patience): Promise<MeteredTable> {
  const dynamo = await startTestDynamo('dynoxide');
  const meter = new WriteMeter(limitPerKey, true);
  meter.know({
    name: tableName,
    hash: 'pk',
    range: 'sk',
    indexes: projectedIndexes.map(({ name, hash, range, include }) => ({
      name,
      hash,
      range,
      projected: new Set(['pk', 'sk', hash, range, ...include]),
    })),
  });
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(dynamo.endpoint);
  const proxy = createDynamoProxy({
    upstream: { host: hostname, port: Number(port), agent },
    meter,
    onWrite: () => undefined,
  });
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    proxy(operation, request, response).catch(() => response.destroy());
  });
  const proxyPort = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(proxyPort, '127.0.0.1', resolve);
  });
  const endpoint = localClient(`http://127.0.0.1:${String(proxyPort)}`);
  const client = createDynamoClient(endpoint);
  const onceClient = createDynamoOnceClient(endpoint);
  await createTestTable(client, tableName);
  const basis = { client, table: tableName, clock: machineClock, chance: machineChance };
  return {
    store: createStore({ ...basis, onceClient, ...(patience === undefined ? {} : { patience }) }),
    permits: createPermits(basis),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
    meter,
    close: async () => {
      client.destroy();
      onceClient.destroy();
      agent.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      await dynamo.stop();
    },
  };
}
