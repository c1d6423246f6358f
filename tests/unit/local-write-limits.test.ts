import { describe, expect, test } from '@jest/globals';
import { KeyLimiter } from '../../local/servers/key-limiter.ts';
import { indexWrites, tableShape } from '../../local/servers/table-shape.ts';
import { writesOf } from '../../local/servers/write-requests.ts';

const keysOf = (table: string): { hash: string; range: string } | undefined =>
  table === 'drayage' ? { hash: 'pk', range: 'sk' } : undefined;

const key = { pk: { S: 'move/1' }, sk: { S: 'a' } };

describe('what a request writes', () => {
  const shown = (operation: string, body: unknown): unknown =>
    writesOf(operation, body, keysOf).map((write) =>
      write === undefined ? undefined : [write.key, write.range],
    );

  test.each([
    ['PutItem', { TableName: 'drayage', Item: { ...key, n: { N: '1' } } }],
    ['UpdateItem', { TableName: 'drayage', Key: key, ExpressionAttributeValues: { ':v': { S: 'x' } } }],
    ['DeleteItem', { TableName: 'drayage', Key: key }],
    ['TransactWriteItems', { TransactItems: [{ Update: { TableName: 'drayage', Key: key } }] }],
    ['BatchWriteItem', { RequestItems: { drayage: [{ PutRequest: { Item: key } }] } }],
    [
      'ExecuteStatement',
      {
        Statement: `UPDATE "drayage" SET a = ?, b = ? WHERE pk = ? AND sk = ?`,
        Parameters: [{ S: 'x' }, { N: '2' }, key.pk, key.sk],
      },
    ],
    [
      'BatchExecuteStatement',
      {
        Statements: [
          {
            Statement: `INSERT INTO "drayage" VALUE {'n': ?, 'pk': ?, 'sk': ?}`,
            Parameters: [{ N: '1' }, key.pk, key.sk],
          },
        ],
      },
    ],
    [
      'ExecuteTransaction',
      {
        TransactStatements: [
          { Statement: `DELETE FROM "drayage" WHERE "pk" = 'move/1' AND "sk" = ?`, Parameters: [key.sk] },
        ],
      },
    ],
  ])('%s shows its key', (operation, body) => {
    expect(shown(operation, body)).toEqual([['move/1', 'a']]);
  });

  test('a read among statements keeps its place', () => {
    const Statements = [{ Statement: 'SELECT * FROM "drayage" WHERE pk = ?', Parameters: [key.pk] }];
    expect(shown('BatchExecuteStatement', { Statements })).toEqual([undefined]);
  });
});

describe('writes of indexes', () => {
  const table = tableShape('drayage', {
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byState',
        KeySchema: [{ AttributeName: 'state', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['size'] },
      },
    ],
  });
  const item = (state?: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    ...key,
    ...(state === undefined ? {} : { state: { S: state } }),
    ...more,
  });
  const keys = (
    before: Record<string, unknown> | undefined,
    after: Record<string, unknown> | undefined,
  ): string[] => indexWrites(table, before, after).map((write) => write.key);

  test('are none when the projection did not change', () => {
    expect(keys(item('new'), item('new', { version: { N: '2' } }))).toEqual([]);
    expect(keys(item(), item())).toEqual([]);
  });
  test('are one when an item comes, goes, or changes in place', () => {
    expect(keys(undefined, item('new'))).toEqual(['new']);
    expect(keys(item('new'), undefined)).toEqual(['new']);
    expect(keys(item('new'), item('new', { size: { N: '1' } }))).toEqual(['new']);
  });
  test('are two when the index key changed', () => {
    expect(keys(item('new'), item('done'))).toEqual(['new', 'done']);
  });
});

describe('the limit of a key', () => {
  test('lets a second’s worth pass, then refuses until the key has refilled', () => {
    let now = 0;
    const limiter = new KeyLimiter(10, () => now);
    for (let unit = 0; unit < 10; unit += 1) limiter.charge('hot', 1);
    expect(limiter.allows('hot')).toBe(false);
    expect(limiter.allows('cold')).toBe(true);
    now += 100;
    expect(limiter.allows('hot')).toBe(true);
    limiter.charge('hot', 3);
    expect(limiter.allows('hot')).toBe(false);
    now += 200;
    expect(limiter.allows('hot')).toBe(false);
    now += 100;
    expect(limiter.allows('hot')).toBe(true);
    expect(limiter.hottest).toEqual({ key: 'hot', unitsPerSecond: 13 });
  });
});
