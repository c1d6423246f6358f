import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceNotFoundException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type CreateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { CloudError } from '../cloud-error.ts';
import { tableShape, type TableShape } from '../servers/table-shape.ts';
import type { Stack } from '../template/stack.ts';
import type { StreamView } from '../sources/stream-source.ts';
import type { ProvisionClients } from './clients.ts';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const projection = z.object({
  ProjectionType: z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY']),
  NonKeyAttributes: z.array(z.string()).optional(),
});
const index = z.object({ IndexName: z.string(), KeySchema: keySchema, Projection: projection });

const tableProperties = z.object({
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['B', 'N', 'S']) }),
  ),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.array(index).optional(),
  LocalSecondaryIndexes: z.array(index).optional(),
  StreamSpecification: z
    .object({ StreamViewType: z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']) })
    .optional(),
  TimeToLiveSpecification: z
    .object({ AttributeName: z.string().optional(), Enabled: z.union([z.boolean(), z.string()]) })
    .optional(),
});

type TableProperties = z.infer<typeof tableProperties>;

/** A provisioned table: its shape for the write meter, its stream, and the images that the template asks for. */
export interface ProvisionedTable {
  readonly shape: TableShape;
  readonly streamArn: string;
  readonly view: StreamView;
}

/**
 * Creates the tables, each with a stream of both images whatever the template says: the write meter needs them, and
 * mappings show a function only the view that the template grants.
 */
export async function provisionTables(
  stack: Stack,
  { dynamodb }: ProvisionClients,
): Promise<ProvisionedTable[]> {
  const tables: ProvisionedTable[] = [];
  for (const { logicalId, properties } of stack.ofType('AWS::DynamoDB::Table')) {
    const name = stack.ref(logicalId);
    const wanted = tableProperties.parse(properties);
    const existing = await describe(dynamodb, name);
    if (existing === undefined) await create(dynamodb, name, wanted);
    else {
      demandSameKeys(name, wanted, existing);
      await renewIndexes(dynamodb, name, wanted, existing);
    }
    const streamArn = (await describe(dynamodb, name))?.LatestStreamArn ?? '';
    stack.learn(logicalId, 'StreamArn', streamArn);
    tables.push({
      shape: tableShape(name, properties),
      streamArn,
      view: wanted.StreamSpecification?.StreamViewType ?? 'NEW_AND_OLD_IMAGES',
    });
  }
  return tables;
}

const described = z.object({
  LatestStreamArn: z.string().optional(),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.array(index).optional(),
});

async function describe(
  dynamodb: ProvisionClients['dynamodb'],
  name: string,
): Promise<z.infer<typeof described> | undefined> {
  try {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    return described.parse(Table);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(
  dynamodb: ProvisionClients['dynamodb'],
  name: string,
  wanted: TableProperties,
): Promise<void> {
  const input: CreateTableCommandInput = {
    TableName: name,
    AttributeDefinitions: wanted.AttributeDefinitions,
    KeySchema: wanted.KeySchema,
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    ...(wanted.GlobalSecondaryIndexes === undefined
      ? {}
      : { GlobalSecondaryIndexes: wanted.GlobalSecondaryIndexes.map(clean) }),
    ...(wanted.LocalSecondaryIndexes === undefined
      ? {}
      : { LocalSecondaryIndexes: wanted.LocalSecondaryIndexes.map(clean) }),
  };
  await dynamodb.send(new CreateTableCommand(input));
  const ttl = wanted.TimeToLiveSpecification;
  if (ttl?.AttributeName !== undefined && String(ttl.Enabled) === 'true') {
    await dynamodb.send(
      new UpdateTimeToLiveCommand({
        TableName: name,
        TimeToLiveSpecification: { AttributeName: ttl.AttributeName, Enabled: true },
      }),
    );
  }
}

/** An index that keeps other attributes than it did is made anew from the rows of its table. */
async function renewIndexes(
  dynamodb: ProvisionClients['dynamodb'],
  name: string,
  { AttributeDefinitions, GlobalSecondaryIndexes = [] }: TableProperties,
  existing: z.infer<typeof described>,
): Promise<void> {
  const kept = ({ Projection: { ProjectionType, NonKeyAttributes = [] } }: z.infer<typeof index>): string =>
    `${ProjectionType} ${[...NonKeyAttributes].sort().join()}`;
  for (const wanted of GlobalSecondaryIndexes) {
    const { IndexName } = wanted;
    const found = existing.GlobalSecondaryIndexes?.find((one) => one.IndexName === IndexName);
    if (found === undefined || kept(found) === kept(wanted)) continue;
    await dynamodb.send(
      new UpdateTableCommand({ TableName: name, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName } }] }),
    );
    await dynamodb.send(
      new UpdateTableCommand({
        TableName: name,
        AttributeDefinitions,
        GlobalSecondaryIndexUpdates: [{ Create: clean(wanted) }],
      }),
    );
  }
}

/** The SDK's types distinguish an absent list from an undefined one. */
function clean(one: z.infer<typeof index>): {
  IndexName: string;
  KeySchema: z.infer<typeof keySchema>;
  Projection: { ProjectionType: 'ALL' | 'INCLUDE' | 'KEYS_ONLY'; NonKeyAttributes?: string[] };
} {
  const { ProjectionType, NonKeyAttributes } = one.Projection;
  return {
    IndexName: one.IndexName,
    KeySchema: one.KeySchema,
    Projection: { ProjectionType, ...(NonKeyAttributes === undefined ? {} : { NonKeyAttributes }) },
  };
}

/** A changed key or index would need the table to be built anew: say so instead of running on the old one. */
function demandSameKeys(name: string, wanted: TableProperties, existing: z.infer<typeof described>): void {
  const keys = (schema: z.infer<typeof keySchema>): string =>
    schema
      .map((key) => `${key.KeyType}:${key.AttributeName}`)
      .sort()
      .join();
  const indexes = (
    list: readonly { IndexName: string; KeySchema: z.infer<typeof keySchema> }[] | undefined,
  ): string =>
    (list ?? [])
      .map((one) => `${one.IndexName}(${keys(one.KeySchema)})`)
      .sort()
      .join();
  if (
    keys(wanted.KeySchema) === keys(existing.KeySchema) &&
    indexes(wanted.GlobalSecondaryIndexes) === indexes(existing.GlobalSecondaryIndexes)
  ) {
    return;
  }
  throw new CloudError(
    'ResourceRefused',
    `The table ${name} in the state folder has other keys or indexes than the template: delete the state folder, or use another one.`,
  );
}
