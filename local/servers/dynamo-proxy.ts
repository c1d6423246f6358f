import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { callerOf } from './call-log.ts';
import { exchange, passOn, readBody, sendJson, type Answer, type Upstream } from './http.ts';
import type { WriteMeter } from './write-meter.ts';
import { READ_OPERATIONS, WRITE_OPERATIONS, writesOf, type ItemWrite } from './write-requests.ts';

const OVER_LIMIT =
  'Throughput exceeds the limit of a partition key (1,000 write units a second): spread the writes over more keys.';

/** What the proxy in front of DynamoDB works with. */
export interface DynamoProxyOptions {
  readonly upstream: Upstream;
  readonly meter: WriteMeter;
  /** Called after each write that happened: stream readers wake. */
  readonly onWrite: () => void;
}

/**
 * Stands in front of DynamoDB: passes reads on untouched (a meter in detail counts those of functions), counts what
 * writes consume, and, when a limit per key is set, refuses writes to hot keys the way AWS does (the request, the item of a batch, or the statement).
 */
export function createDynamoProxy(
  options: DynamoProxyOptions,
): (operation: string, incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  const { meter, upstream } = options;

  return async (operation, incoming, outgoing) => {
    if (!WRITE_OPERATIONS.has(operation)) {
      const isMetered = meter.inDetail && READ_OPERATIONS.has(operation);
      if (isMetered && callerOf(incoming.headers['user-agent']) !== undefined)
        relay(await read(incoming), outgoing);
      else passOn(upstream, incoming, outgoing);
      return;
    }
    const text = (await readBody(incoming)).toString('utf8');
    const writes = meter.asksForItems ? writesOf(operation, JSON.parse(text), meter.keysOf) : [];
    const refused = writes.map((write) => write !== undefined && !meter.admits(write));
    if (!refused.includes(true)) {
      relay(await forward(text, incoming, writes), outgoing);
    } else if (operation === 'BatchExecuteStatement') {
      await forwardStatements(text, refused, writes, incoming, outgoing);
    } else if (operation === 'BatchWriteItem') {
      await forwardItems(text, refused, writes, incoming, outgoing);
    } else if (operation === 'TransactWriteItems' || operation === 'ExecuteTransaction') {
      sendJson(outgoing, 400, {
        __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
        message: 'Transaction cancelled, please refer cancellation reasons for specific reasons',
        CancellationReasons: refused.map((hot) =>
          hot ? { Code: 'ThrottlingError', Message: OVER_LIMIT } : { Code: 'None' },
        ),
      });
    } else {
      refuse(outgoing);
    }
  };

  async function read(incoming: IncomingMessage): Promise<Answer> {
    const text = (await readBody(incoming)).toString('utf8');
    const answer = await exchange(upstream, incoming, askForCapacity(text));
    if (answer.status === 200) meter.chargeRead(JSON.parse(answer.body.toString('utf8')));
    return answer;
  }

  async function forward(
    text: string,
    incoming: IncomingMessage,
    writes: readonly (ItemWrite | undefined)[],
  ): Promise<Answer> {
    const answer = await exchange(upstream, incoming, askForCapacity(text));
    if (answer.status === 200) {
      meter.charge(writes, JSON.parse(answer.body.toString('utf8')));
      options.onWrite();
    } else if (answer.body.includes('ConditionalCheckFailed')) {
      const [write] = writes.length > 0 ? writes : [tableOf(text)];
      if (write !== undefined) meter.chargeRefusal(write);
    }
    return answer;
  }

  async function forwardStatements(
    text: string,
    refused: readonly boolean[],
    writes: readonly (ItemWrite | undefined)[],
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const body = z.looseObject({ Statements: z.array(z.unknown()) }).parse(JSON.parse(text));
    const kept = body.Statements.filter((_, index) => refused[index] !== true);
    let responses: unknown[] = [];
    if (kept.length > 0) {
      const passed = writes.filter((_, index) => refused[index] !== true);
      const answer = await forward(JSON.stringify({ ...body, Statements: kept }), incoming, passed);
      if (answer.status !== 200) {
        relay(answer, outgoing);
        return;
      }
      responses = z
        .object({ Responses: z.array(z.unknown()) })
        .parse(JSON.parse(answer.body.toString('utf8'))).Responses;
    }
    const rest = responses[Symbol.iterator]();
    sendJson(outgoing, 200, {
      Responses: refused.map((hot, index) =>
        hot
          ? { Error: { Code: 'ThrottlingError', Message: OVER_LIMIT }, TableName: writes[index]?.table }
          : rest.next().value,
      ),
    });
  }

  async function forwardItems(
    text: string,
    refused: readonly boolean[],
    writes: readonly (ItemWrite | undefined)[],
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const body = z
      .looseObject({ RequestItems: z.record(z.string(), z.array(z.unknown())) })
      .parse(JSON.parse(text));
    if (!refused.includes(false)) {
      refuse(outgoing);
      return;
    }
    let place = 0;
    const kept: Record<string, unknown[]> = {};
    const held: Record<string, unknown[]> = {};
    for (const [table, entries] of Object.entries(body.RequestItems)) {
      for (const entry of entries) {
        const side = refused[place] === true ? held : kept;
        (side[table] ??= []).push(entry);
        place += 1;
      }
    }
    const passed = writes.filter((_, index) => refused[index] !== true);
    const answer = await forward(JSON.stringify({ ...body, RequestItems: kept }), incoming, passed);
    if (answer.status !== 200) {
      relay(answer, outgoing);
      return;
    }
    sendJson(outgoing, 200, {
      ...z.looseObject({}).parse(JSON.parse(answer.body.toString('utf8'))),
      UnprocessedItems: held,
    });
  }
}

function refuse(outgoing: ServerResponse): void {
  sendJson(outgoing, 400, {
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: OVER_LIMIT,
  });
}

/** Asks DynamoDB to say what the write consumes, unless the caller has asked already; costs no parsing. */
function askForCapacity(text: string): string {
  if (text.includes('"ReturnConsumedCapacity"') || !text.trimEnd().endsWith('}')) return text;
  return `${text.trimEnd().slice(0, -1)},"ReturnConsumedCapacity":"INDEXES"}`;
}

function tableOf(text: string): ItemWrite | undefined {
  const table = /"TableName"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? /UPDATE\s+\\?"([^"\\]+)/i.exec(text)?.[1];
  return table === undefined ? undefined : { table, key: undefined, range: undefined, values: [] };
}

function relay(answer: Answer, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
  outgoing.end(answer.body);
}
