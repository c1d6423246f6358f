import {
  BatchWriteItemCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { countAttribute } from '../contracts/rows/batch.ts';
import { encodeHistory } from '../contracts/rows/history.ts';
import { moveLabels } from '../domain/move.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import type { HistoryEntry, Journal } from '../ports/store.ts';
import { codecs } from './layout.ts';
import { defaultPatience, pauseAfter, type Patience } from './patience.ts';
import { asPortError, readFailure } from './trouble.ts';
import { keyItem, toItem } from './wire.ts';

export interface JournalOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** How long the history of a move is kept, in milliseconds. By default 90 days. */
  readonly keepMs?: number;
  readonly patience?: Patience;
}

const putsPerCall = 25;
export const defaultKeepMs = 90 * 24 * 3_600_000;

/** History and display counts. */
export function createJournal(options: JournalOptions): Journal {
  const { client, table } = options;
  const patience = options.patience ?? defaultPatience;
  const keepMs = options.keepMs ?? defaultKeepMs;

  return {
    async append(entries) {
      const puts = [
        ...new Map(
          entries.map((entry) => [`${entry.move}#${String(entry.version)}#${entry.letter ?? ''}`, entry]),
        ).values(),
      ].map((entry): WriteRequest => ({ PutRequest: { Item: toItem(historyRow(entry, keepMs)) } }));
      for (let start = 0; start < puts.length; start += putsPerCall)
        await put(puts.slice(start, start + putsPerCall));
    },

    async count(batch, changes) {
      const changed = moveLabels.filter((label) => (changes[label] ?? 0) !== 0);
      if (changed.length === 0) return;
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyItem(codecs.batch.key({ id: batch })),
            UpdateExpression: `ADD ${changed.map((_, index) => `#c${String(index)} :c${String(index)}`).join(', ')}`,
            // A batch that is completed has its exact counts.
            ConditionExpression: 'attribute_exists(pk) AND #state <> :completed',
            ExpressionAttributeNames: {
              '#state': 'state',
              ...Object.fromEntries(
                changed.map((label, index) => [`#c${String(index)}`, countAttribute(label)]),
              ),
            },
            ExpressionAttributeValues: {
              ':completed': { S: 'completed' },
              ...Object.fromEntries(
                changed.map((label, index) => [`:c${String(index)}`, { N: String(changes[label]) }]),
              ),
            },
          }),
        );
      } catch (error) {
        if (readFailure(error).trouble !== 'condition') throw asPortError(error, 'the table');
      }
    },
  };

  async function put(requests: WriteRequest[]): Promise<void> {
    let open = requests;
    for (let nth = 1; ; nth += 1) {
      try {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [table]: open } }),
        );
        open = UnprocessedItems?.[table] ?? [];
      } catch (error) {
        throw asPortError(error, 'the table');
      }
      if (open.length === 0) return;
      if (nth >= patience.tries)
        throw new StoreUnavailable(`the table left ${String(open.length)} entries unwritten`);
      await pauseAfter(nth, patience, options);
    }
  }
}

/** An entry as a row that goes by itself `keepMs` after it happened. */
export function historyRow(entry: HistoryEntry, keepMs: number) {
  return encodeHistory({ ...entry, expiresAt: Math.ceil((entry.at + keepMs) / 1_000) });
}
