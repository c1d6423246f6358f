import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { changeOf } from '../aws/stream.ts';
import type { Change } from '../workflow/relay-changes.ts';
import { noteOfFunction, platform, wrap } from './platform.ts';

/**
 * A function behind the table's stream. A row that cannot be read is logged and passed over: it will not become
 * readable, and must not hold up its shard. What else fails is thrown, so that the platform halves the batch
 * until the record that fails stands alone, and sets that one aside.
 */
export function streamHandler(
  handle: (changes: readonly Change[]) => Promise<void>,
): (event: DynamoDBStreamEvent, context: Context) => Promise<DynamoDBBatchResponse> {
  return wrap(async (event) => {
    const changes = event.Records.flatMap((record) => read(record) ?? []);
    if (changes.length > 0) await handle(changes);
    noteOfFunction('RecordsHandled', changes.length);
    return { batchItemFailures: [] };
  });
}

function read(record: DynamoDBRecord): Change | undefined {
  try {
    return changeOf(record);
  } catch (error) {
    noteOfFunction('RecordsRefused');
    platform().logger.error('change of a row that this release cannot read', {
      eventID: record.eventID,
      error: error instanceof Error ? error : new Error(String(error)),
    });
    return undefined;
  }
}
