import { QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { toItem, fromItem } from './wire.ts';
import { indexes, type IndexName } from './layout.ts';
import { asPortError } from './trouble.ts';

/** Where a query goes on: the keys of the last row that was found. */
export type Position = Readonly<Record<string, string | number>>;

/** Rows of one hash key, in the order of their range key. */
export interface RowsQuery {
  /** The table itself, if absent. */
  readonly index?: IndexName;
  readonly hash: string;
  readonly range?: { readonly beginsWith: string } | { readonly atMost: number } | { readonly above: string };
  readonly limit: number;
  readonly after?: Position | undefined;
}

export interface FoundRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Absent when there is no more. */
  readonly end?: Position;
}

export type QueryRows = (query: RowsQuery) => Promise<FoundRows>;

/** The names of the keys by which a query finds its rows. */
export function keyNames(index: IndexName | undefined): { readonly hash: string; readonly range: string } {
  return index === undefined ? { hash: 'pk', range: 'sk' } : indexes[index];
}

/** Queries over the table and its indexes; an index's answer lags a little. @throws StoreUnavailable */
export function createQuery({
  client,
  table,
}: {
  readonly client: DynamoDBClient;
  readonly table: string;
}): QueryRows {
  return async ({ index, hash, range, limit, after }) => {
    const names = keyNames(index);
    try {
      const { Items, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: index,
          KeyConditionExpression: `#hash = :hash${conditionOf(range)}`,
          ExpressionAttributeNames: {
            '#hash': names.hash,
            ...(range === undefined ? {} : { '#range': names.range }),
          },
          ExpressionAttributeValues: { ':hash': { S: hash }, ...valueOf(range) },
          ExclusiveStartKey: after === undefined ? undefined : toItem(after),
          Limit: limit,
        }),
      );
      const rows = (Items ?? []).map(fromItem);
      return LastEvaluatedKey === undefined
        ? { rows }
        : { rows, end: readPosition(fromItem(LastEvaluatedKey)) };
    } catch (error) {
      throw asPortError(error, 'the table');
    }
  };
}

function conditionOf(range: RowsQuery['range']): string {
  if (range === undefined) return '';
  if ('beginsWith' in range) return ' AND begins_with(#range, :range)';
  return 'above' in range ? ' AND #range > :range' : ' AND #range <= :range';
}

function valueOf(range: RowsQuery['range']) {
  if (range === undefined) return {};
  if ('atMost' in range) return { ':range': { N: String(range.atMost) } };
  return { ':range': { S: 'above' in range ? range.above : range.beginsWith } };
}

function readPosition(key: Readonly<Record<string, unknown>>): Position {
  return Object.fromEntries(
    Object.entries(key).flatMap(([name, value]): [string, string | number][] =>
      typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [],
    ),
  );
}
