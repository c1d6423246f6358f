import {
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { StepFailure } from '../domain/failure.ts';
import type { PermitSide } from '../domain/host.ts';
import type { HostName, MoveId } from '../domain/ids.ts';
import type { Chance } from '../ports/clock.ts';
import type { Permits } from '../ports/store.ts';
import { codecs } from './layout.ts';
import { changeBetween, nextOf } from './row-change.ts';
import { updateInput } from './statements.ts';
import { asPortError, readFailure } from './trouble.ts';
import { keyItem } from './wire.ts';

export interface PermitsOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly chance: Chance;
}

const attributeOf: Readonly<Record<PermitSide, string>> = { out: 'permitsOut', in: 'permitsIn' };

/** Permits and reservations as sets and maps on the host's row, beside its version. */
export function createPermits({ client, table, chance }: PermitsOptions): Permits {
  return {
    async take(host, side, move, limit) {
      const hasRoom = limit > 0 ? 'attribute_not_exists(#held) OR size(#held) < :limit OR ' : '';
      const answer = await update(host, {
        UpdateExpression: 'ADD #held :move',
        ConditionExpression: `attribute_exists(pk) AND (${hasRoom}contains(#held, :name))`,
        ExpressionAttributeNames: { '#held': attributeOf[side] },
        ExpressionAttributeValues: {
          ':move': { SS: [move] },
          ':name': { S: move },
          ...(limit > 0 ? { ':limit': { N: String(limit) } } : {}),
        },
      });
      if (answer === 'no-host') throw unknownHost(host);
      return answer === 'done';
    },

    async giveBack(host, side, move) {
      await update(host, {
        UpdateExpression: 'DELETE #held :move',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#held': attributeOf[side] },
        ExpressionAttributeValues: { ':move': { SS: [move] } },
      });
    },

    async vacate(host, move) {
      await update(host, {
        UpdateExpression: 'REMOVE #reserved.#move DELETE #held :move',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#reserved': 'reserved', '#move': move, '#held': attributeOf.in },
        ExpressionAttributeValues: { ':move': { SS: [move] } },
      });
    },

    async setBack(before, after) {
      const commitId = chance.unique();
      const record = nextOf('move', before, after);
      const key = codecs.move.key(before);
      const change = changeBetween('move', before, record, commitId);
      const { ReturnValuesOnConditionCheckFailure: _, ...commit } = updateInput(
        table,
        key,
        before.version,
        change,
      );
      try {
        await client.send(
          new TransactWriteItemsCommand({
            TransactItems: [
              { Update: { ...commit, UpdateExpression: commit.UpdateExpression ?? '' } },
              { Update: returned(before.source, 'out', before.id) },
              { Update: returned(before.target, 'in', before.id) },
            ],
          }),
        );
        return { kind: 'committed', record };
      } catch (error) {
        if (error instanceof TransactionCanceledException) return { kind: 'conflict' };
        throw asPortError(error, 'the table');
      }
    },

    async reserve(host, move, bytes) {
      const answer = await update(host, {
        UpdateExpression: 'SET #reserved.#move = :bytes',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#reserved': 'reserved', '#move': move },
        ExpressionAttributeValues: { ':bytes': { N: String(bytes) } },
      });
      if (answer === 'no-host') throw unknownHost(host);
    },

    async unreserve(host, move) {
      await update(host, {
        UpdateExpression: 'REMOVE #reserved.#move',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#reserved': 'reserved', '#move': move },
      });
    },
  };

  function returned(host: HostName, side: PermitSide, move: MoveId) {
    return {
      TableName: table,
      Key: keyItem(codecs.host.key({ name: host })),
      UpdateExpression: 'DELETE #held :move',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#held': attributeOf[side] },
      ExpressionAttributeValues: { ':move': { SS: [move] } },
    };
  }

  async function update(
    name: HostName,
    input: Pick<
      UpdateItemCommandInput,
      'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
    >,
  ): Promise<'done' | 'refused' | 'no-host'> {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: keyItem(codecs.host.key({ name })),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...input,
        }),
      );
      return 'done';
    } catch (error) {
      const { trouble, item } = readFailure(error);
      if (trouble !== 'condition') throw asPortError(error, 'the table');
      return item === undefined ? 'no-host' : 'refused';
    }
  }
}

function unknownHost(host: HostName): StepFailure {
  return new StepFailure(
    {
      code: 'host-unknown',
      sentence: `there is no host ${host}`,
      cure: `register it first: dray host add ${host} --driver … --url …`,
    },
    'fail',
  );
}
