import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import type { RowWrite } from './passage.ts';

const value = z.custom<AttributeValue>((given) => typeof given === 'object');
const statement = z.object({ Statement: z.string(), Parameters: z.array(value) });
const update = z.object({
  Key: z.record(z.string(), value),
  UpdateExpression: z.string(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: z.record(z.string(), value).default({}),
});
const statements = z.object({ Statements: z.array(statement) });
const answers = z.object({ Responses: z.array(z.object({ Error: z.unknown().optional() })) });

/** What a request writes, row by row; nothing for requests that write none, or in a form that the product has not. */
export function rowWritesOf(operation: string, body: string): RowWrite[] {
  switch (operation) {
    case 'ExecuteStatement':
      return [writeOf(statement.parse(JSON.parse(body)))];
    case 'BatchExecuteStatement':
      return statements.parse(JSON.parse(body)).Statements.map(writeOf);
    case 'UpdateItem':
      return [updateOf(update.parse(JSON.parse(body)))];
    default:
      return [];
  }
}

/** Which of the rows were written, by the service's answer. */
export function writtenBy(operation: string, status: number, answer: string, rows: number): boolean[] {
  if (operation !== 'BatchExecuteStatement' || status !== 200)
    return Array.from({ length: rows }, () => status === 200);
  return answers.parse(JSON.parse(answer)).Responses.map(({ Error: failed }) => failed === undefined);
}

/** `"name"=?` of updates and deletes, `'name': ?` of inserts: in the order of the parameters. */
function writeOf({ Statement: text, Parameters }: z.infer<typeof statement>): RowWrite {
  const names = [...text.matchAll(/"((?:[^"]|"")+)"=\?|'((?:[^']|'')+)': \?/g)].map(
    ([, updated, inserted]) => updated ?? inserted ?? '',
  );
  const set = Object.fromEntries(
    names.map((name, at) => [name, Parameters[at] === undefined ? undefined : plain(Parameters[at])]),
  );
  return { pk: String(set['pk']), sk: String(set['sk']), set, text };
}

function updateOf(request: z.infer<typeof update>): RowWrite {
  const {
    Key,
    UpdateExpression,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  } = request;
  const set: Record<string, unknown> = {};
  for (const [, name = '', given = ''] of UpdateExpression.matchAll(/(#\w+) = (:\w+)/g)) {
    const found = values[given];
    if (found !== undefined) set[names[name] ?? name] = plain(found);
  }
  const key = (name: string): string => String(plain(Key[name] ?? { S: '' }));
  const text = UpdateExpression.replaceAll(/#\w+/g, (name) => names[name] ?? name);
  return { pk: key('pk'), sk: key('sk'), set, text };
}

const plain = (given: AttributeValue): unknown => unmarshall({ it: given })['it'];
