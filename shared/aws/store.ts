import { UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../contracts/rows/row.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import type { Committed, Keys, RecordKind, Records, Store } from '../ports/store.ts';
import { codecs, toRow } from './layout.ts';
import { defaultPatience, type Patience } from './patience.ts';
import { changeBetween, nextOf } from './row-change.ts';
import { createRowReads } from './row-reads.ts';
import { createRowWrites, type RowWrite } from './row-writes.ts';
import { deleteStatement, insertStatement, updateInput, updateStatement } from './statements.ts';
import { readFailure } from './trouble.ts';
import { fromItem, type Item } from './wire.ts';

export interface StoreOptions {
  readonly client: DynamoDBClient;
  /** A client that sends everything once: no retries. For the arbiter's writes. */
  readonly onceClient: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience?: Patience;
  /** Calls in flight at once; what is asked for meanwhile travels together in the next. By default 2. */
  readonly lanes?: number;
  /** A write of the arbiter's that has no answer by then counts as unknown. By default 3,000. */
  readonly aloneMs?: number;
}

/** The store over one DynamoDB table. */
export function createStore(options: StoreOptions): Store {
  const { table, clock, chance } = options;
  const settings = { ...options, patience: options.patience ?? defaultPatience, lanes: options.lanes ?? 2 };
  const read = createRowReads(settings);
  const commitIdOf = async (key: RowKey): Promise<string | undefined> => (await read(key))?.['commitId']?.S;
  const write = createRowWrites({ ...settings, commitIdOf });

  async function load<K extends RecordKind>(kind: K, key: Keys[K]): Promise<Records[K] | undefined> {
    const item = await read(codecs[kind].key(key));
    return item === undefined ? undefined : decode(kind, item);
  }

  return {
    load,
    loadMany: async (kind, keys) => await Promise.all(keys.map(async (key) => await load(kind, key))),

    async insert(kind, record) {
      const commitId = chance.unique();
      const row: Row = { ...toRow(kind, { ...record, version: 1 }), commitId };
      const answer = await write({ key: row, commitId, send: { statement: insertStatement(table, row) } });
      return answer === 'done' ? 'inserted' : 'exists';
    },

    async commit(kind, before, after) {
      const { record, change, key, commitId } = prepare(kind, before, after);
      const statement = updateStatement(table, key, before.version, change);
      const send: RowWrite['send'] =
        statement === undefined ? { update: updateInput(table, key, before.version, change) } : { statement };
      return (await write({ key, commitId, send })) === 'done'
        ? { kind: 'committed', record }
        : { kind: 'conflict' };
    },

    async commitAlone(kind, before, after) {
      const { record, change, key, commitId } = prepare(kind, before, after);
      const committed: Committed<typeof record> = { kind: 'committed', record };
      try {
        await sendOnce(new UpdateItemCommand(updateInput(table, key, before.version, change)));
        return committed;
      } catch (error) {
        const { trouble, item } = readFailure(error);
        if (trouble === 'condition')
          return item?.['commitId']?.S === commitId ? committed : { kind: 'conflict' };
        if (trouble === 'wrong') throw error;
        if (trouble !== 'lost') {
          throw new StoreUnavailable(`the table did not take a write of ${key.pk} (${trouble})`, {
            cause: error,
          });
        }
        // Only a row that shows our write tells anything: one that does not may show it yet.
        const found = await commitIdOf(key).catch(() => undefined);
        return found === commitId ? committed : { kind: 'unknown' };
      }
    },

    async remove(kind, record) {
      const key = codecs[kind].key(record);
      const commitId = chance.unique();
      const statement = deleteStatement(table, key, record.version);
      if ((await write({ key, commitId, send: { statement } })) === 'done') return 'removed';
      return (await read(key)) === undefined ? 'removed' : 'conflict';
    },
  };

  function prepare<K extends RecordKind>(kind: K, before: Records[K], after: Records[K]) {
    const commitId = chance.unique();
    const record = nextOf(kind, before, after);
    const key = codecs[kind].key(before);
    return { commitId, record, key, change: changeBetween(kind, before, record, commitId) };
  }

  async function sendOnce(command: UpdateItemCommand): Promise<void> {
    const enough = new AbortController();
    const answered = new AbortController();
    void clock.sleep(options.aloneMs ?? 3_000, answered.signal).then(() => {
      if (!answered.signal.aborted) enough.abort(new Error('no answer in time'));
    });
    try {
      await options.onceClient.send(command, { abortSignal: enough.signal });
    } finally {
      answered.abort();
    }
  }
}

function decode<K extends RecordKind>(kind: K, item: Item): Records[K] {
  return codecs[kind].decode(fromItem(item));
}
