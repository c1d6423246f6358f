import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CreateTableCommand, type DynamoDBClient, type ScalarAttributeType } from '@aws-sdk/client-dynamodb';
import { startDynamo, type DynamoKind } from '../../local/servers/dynamo.ts';
import { freePort } from '../../local/servers/ports.ts';
import type { ClientSettings } from '../../shared/aws/clients.ts';
import { projectedIndexes } from '../../shared/aws/projections.ts';
import { scratchRoot } from '../../local/servers/scratch-root.ts';

/** A DynamoDB of our own, in a process of its own. */
export interface TestDynamo {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Starts a DynamoDB with nothing in it. */
export async function startTestDynamo(kind: DynamoKind): Promise<TestDynamo> {
  const dataDir = await mkdtemp(join(await scratchRoot(), 'drayage-dynamo-'));
  const log = createWriteStream(join(dataDir, 'dynamo.log'));
  const server = await startDynamo({
    kind,
    port: await freePort(),
    dataDir,
    inMemory: true,
    log,
    onDeath: () => undefined,
  });
  return {
    endpoint: server.endpoint,
    stop: async () => {
      await server.stop();
      await new Promise<void>((resolve) => {
        log.end(resolve);
      });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** AWS's own emulator needs Java: it runs where there is one. */
export const hasJava = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'java')));

export const localClient = (endpoint: string): ClientSettings => ({
  endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  local: true,
  // A machine that is busy with other suites may take its time.
  requestMs: 30_000,
});

/** Makes the table with all its indexes. */
export async function createTestTable(client: DynamoDBClient, table: string): Promise<void> {
  const types = new Map<string, ScalarAttributeType>([
    ['pk', 'S'],
    ['sk', 'S'],
  ]);
  for (const { hash, range, rangeType } of projectedIndexes) types.set(hash, 'S').set(range, rangeType);
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...types].map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      KeySchema: keys('pk', 'sk'),
      GlobalSecondaryIndexes: projectedIndexes.map(({ name, hash, range, include }) => ({
        IndexName: name,
        KeySchema: keys(hash, range),
        Projection:
          include.length === 0
            ? { ProjectionType: 'KEYS_ONLY' }
            : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...include] },
      })),
    }),
  );
}

const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  { AttributeName: range, KeyType: 'RANGE' as const },
];
