import { BatchGetItemCommand, GetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RowKey } from '../contracts/rows/row.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { gather } from './gather.ts';
import { pauseAfter, type Patience } from './patience.ts';
import { asPortError } from './trouble.ts';
import { keyItem, type Item } from './wire.ts';

export interface RowReadsOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience: Patience;
  readonly lanes: number;
}

const keysPerCall = 100;

/**
 * Strongly consistent reads of rows by key, those of one moment in one call.
 * @throws StoreUnavailable
 */
export function createRowReads(options: RowReadsOptions): (key: RowKey) => Promise<Item | undefined> {
  const { client, table, patience } = options;
  const read = gather<RowKey, Item | undefined>({
    limit: keysPerCall,
    lanes: options.lanes,
    identity: nameOf,
    perform: async (keys) => {
      const [only] = keys;
      return only !== undefined && keys.length === 1 ? [await readOne(only)] : await readMany(keys);
    },
  });
  return async (key) => {
    try {
      return await read(key);
    } catch (error) {
      throw asPortError(error, 'the table');
    }
  };

  async function readOne(key: RowKey): Promise<Item | undefined> {
    const { Item: found } = await client.send(
      new GetItemCommand({ TableName: table, Key: keyItem(key), ConsistentRead: true }),
    );
    return found;
  }

  async function readMany(keys: readonly RowKey[]): Promise<readonly (Item | undefined)[]> {
    const found = new Map<string, Item>();
    let open: Item[] = keys.map(keyItem);
    for (let nth = 1; ; nth += 1) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: open, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[table] ?? []) {
        found.set(nameOf({ pk: item['pk']?.S ?? '', sk: item['sk']?.S ?? '' }), item);
      }
      open = UnprocessedKeys?.[table]?.Keys ?? [];
      if (open.length === 0) return keys.map((key) => found.get(nameOf(key)));
      if (nth >= patience.tries)
        throw new StoreUnavailable(`the table left ${String(open.length)} keys unread`);
      await pauseAfter(nth, patience, options);
    }
  }
}

const nameOf = ({ pk, sk }: RowKey): string => JSON.stringify([pk, sk]);
