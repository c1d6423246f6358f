import {
  BatchExecuteStatementCommand,
  ExecuteStatementCommand,
  UpdateItemCommand,
  type BatchStatementResponse,
  type DynamoDBClient,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { RowKey } from '../contracts/rows/row.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { gather } from './gather.ts';
import { pauseAfter, type Patience } from './patience.ts';
import type { Statement } from './statements.ts';
import { readFailure, troubleOfCode, type Trouble } from './trouble.ts';
import type { Item } from './wire.ts';

/** A conditional write of one row. */
export interface RowWrite {
  readonly key: RowKey;
  readonly commitId: string;
  /** What travels with others of its moment, or what must go alone. */
  readonly send: { readonly statement: Statement } | { readonly update: UpdateItemCommandInput };
}

type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly found: Item | undefined; readonly sentOnce: boolean }
  | {
      readonly kind: 'failed';
      readonly trouble: Trouble;
      readonly error: unknown;
      readonly sentOnce: boolean;
    };

export interface RowWritesOptions {
  readonly client: DynamoDBClient;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience: Patience;
  readonly lanes: number;
  /** Reads a row's commit id, consistently. */
  readonly commitIdOf: (key: RowKey) => Promise<string | undefined>;
}

/** DynamoDB takes this many statements in one call. */
const statementsPerCall = 25;

/**
 * Conditional writes, those of one moment in one call. `refused` is honest: when an earlier try of ours may
 * have gone through unheard, the row is asked whether the version that stands is our own.
 *
 * @throws StoreUnavailable after bounded tries; the write may have happened
 */
export function createRowWrites(options: RowWritesOptions): (write: RowWrite) => Promise<'done' | 'refused'> {
  const { client, patience, lanes, commitIdOf } = options;
  const together = gather<{ readonly key: RowKey; readonly statement: Statement }, Answer>({
    limit: statementsPerCall,
    lanes,
    identity: ({ key }) => JSON.stringify([key.pk, key.sk]),
    perform: async (writes) => perform(writes.map(({ statement }) => statement)),
  });

  return async ({ key, commitId, send }) => {
    let mayHaveHappened = false;
    for (let nth = 1; ; nth += 1) {
      const answer =
        'statement' in send ? await together({ key, statement: send.statement }) : await update(send.update);
      if (answer.kind === 'done') return 'done';
      if (answer.kind === 'refused') {
        if (answer.found !== undefined) return answer.found['commitId']?.S === commitId ? 'done' : 'refused';
        if (answer.sentOnce && !mayHaveHappened) return 'refused';
        return (await commitIdOf(key)) === commitId ? 'done' : 'refused';
      }
      if (answer.trouble === 'wrong') throw answer.error;
      mayHaveHappened ||= answer.trouble === 'lost' || !answer.sentOnce;
      if (nth >= patience.tries) {
        throw new StoreUnavailable(`the table did not take a write of ${key.pk} (${answer.trouble})`, {
          cause: answer.error,
        });
      }
      await pauseAfter(nth, patience, options);
    }
  };

  async function perform(statements: readonly Statement[]): Promise<readonly Answer[]> {
    const [first] = statements;
    if (first !== undefined && statements.length === 1) {
      return [await answered(client.send(new ExecuteStatementCommand(first)))];
    }
    try {
      const { Responses, $metadata } = await client.send(
        new BatchExecuteStatementCommand({ Statements: [...statements] }),
      );
      const sentOnce = ($metadata.attempts ?? 1) === 1;
      return statements.map((_, index) => answerOf(Responses?.[index], sentOnce));
    } catch (error) {
      const failure = readFailure(error);
      // One statement that the service will not read must not take the others with it.
      if (failure.trouble === 'wrong') return await oneByOne(statements);
      const sentOnce = failure.attempts === 1;
      return statements.map(() => ({ kind: 'failed', trouble: failure.trouble, error, sentOnce }));
    }
  }

  async function oneByOne(statements: readonly Statement[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const statement of statements)
      answers.push(await answered(client.send(new ExecuteStatementCommand(statement))));
    return answers;
  }

  async function update(input: UpdateItemCommandInput): Promise<Answer> {
    return await answered(client.send(new UpdateItemCommand(input)));
  }
}

async function answered(call: Promise<unknown>): Promise<Answer> {
  try {
    await call;
    return { kind: 'done' };
  } catch (error) {
    const { trouble, attempts, item } = readFailure(error);
    const sentOnce = attempts === 1;
    return trouble === 'condition'
      ? { kind: 'refused', found: item, sentOnce }
      : { kind: 'failed', trouble, error, sentOnce };
  }
}

function answerOf(response: BatchStatementResponse | undefined, sentOnce: boolean): Answer {
  if (response === undefined)
    return { kind: 'failed', trouble: 'lost', error: new Error('a statement was not answered'), sentOnce };
  const { Error: failed } = response;
  if (failed === undefined) return { kind: 'done' };
  const trouble = troubleOfCode(failed.Code);
  return trouble === 'condition'
    ? { kind: 'refused', found: failed.Item, sentOnce }
    : {
        kind: 'failed',
        trouble,
        sentOnce,
        error: new Error(`${failed.Code ?? 'no code'}: ${failed.Message ?? 'no message'}`),
      };
}
