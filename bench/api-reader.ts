/** The function that a read would go through if API Gateway did not read the table itself: `GET /endpoints/{id}`. */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({});

export async function handler({ id }: { readonly id: string }): Promise<unknown> {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: process.env['TABLE_NAME'],
      Key: { pk: { S: `ENDPOINT#${id}` }, sk: { S: 'ENDPOINT' } },
      ConsistentRead: true,
    }),
  );
  if (Item === undefined) throw new Error(`there is no endpoint ${id}`);
  return { endpoint: Item['endpoint']?.S, host: Item['host']?.S, epoch: Number(Item['epoch']?.N) };
}
