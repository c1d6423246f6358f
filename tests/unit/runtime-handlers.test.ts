import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { problem } from '../../shared/contracts/api/problems.ts';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { planMessage, workMessage } from '../../shared/contracts/messages.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { invocationContext, queueRecord, variables } from '../support/runtime-environment.ts';

Object.assign(process.env, variables);
const { gatheringQueueHandler, queueHandler, textQueueHandler } =
  await import('../../shared/runtime/queue-handler.ts');
const { streamHandler } = await import('../../shared/runtime/stream-handler.ts');
const { platform } = await import('../../shared/runtime/platform.ts');
const { readHandler } = await import('../../shared/runtime/read-handler.ts');
const { scheduleHandler } = await import('../../shared/runtime/schedule-handler.ts');

const batch = (digit: string): string => `bt_${digit.repeat(20)}`;
const plan = (digit: string): string => JSON.stringify({ v: 1, batch: batch(digit) });
const context = invocationContext(60_000);

// Powertools writes to a console of its own, so that no other library's patches of the global one are in its way.
let said = '';
beforeEach(() => {
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a function behind a queue of ours', () => {
  test('works on all records at once and answers only those that failed', async () => {
    const begun: string[] = [];
    const allBegun = Promise.withResolvers<undefined>();
    const handler = queueHandler(planMessage, async (message) => {
      begun.push(message.batch);
      if (begun.length === 3) allBegun.resolve(undefined);
      await allBegun.promise;
      if (message.batch === batch('2')) throw new Error('the table does not answer');
    });
    const records = [queueRecord('a', plan('1')), queueRecord('b', plan('2')), queueRecord('c', plan('3'))];
    expect(await handler({ Records: records }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }],
    });
  });

  test('answers each record when all have failed, and does not fail itself', async () => {
    const handler = queueHandler(planMessage, async () => Promise.reject(new Error('no')));
    const answer = await handler(
      { Records: [queueRecord('a', plan('1')), queueRecord('b', plan('2'))] },
      context,
    );
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }]);
  });

  test('logs which move, batch or host a message is about that failed', async () => {
    const work = { v: 1, kind: 'work', task: `mv_${'1'.repeat(20)}`, phase: 'transfer' };
    const failing = async (): Promise<void> => Promise.reject(new Error('no'));
    await queueHandler(workMessage, failing)({ Records: [queueRecord('a', JSON.stringify(work))] }, context);
    await gatheringQueueHandler(planMessage, failing)({ Records: [queueRecord('b', plan('2'))] }, context);
    const logged = said.split('\n').filter((line) => line.includes('record failed'));
    expect(logged.map((line): unknown => JSON.parse(line))).toMatchObject([
      { messageId: 'a', move: work.task, phase: 'transfer' },
      { messageId: 'b', batch: batch('2') },
    ]);
  });

  test('says in each line, of several at once, by whose span it was sent or what it is a part of', async () => {
    const traced = (digit: string): string =>
      JSON.stringify({
        ...JSON.parse(plan(digit)),
        traceparent: `00-${digit.repeat(32)}-${'a'.repeat(16)}-01`,
      });
    const { tracer, logger } = platform();
    const handler = queueHandler(planMessage, async ({ batch: id }) => {
      await new Promise(setImmediate);
      logger.info('begun', { batch: id });
      const partOf = { trace: 'f'.repeat(32), span: 'b'.repeat(16), sampled: true };
      await tracer.during({ name: 'plan', partOf, facts: {} }, async () => {
        await new Promise(setImmediate);
        logger.info('planning', { batch: id });
      });
      throw new Error('no');
    });
    await handler({ Records: [queueRecord('a', traced('1')), queueRecord('b', traced('2'))] }, context);
    const wanted = said.split('\n').filter((line) => /begun|planning|failed/.test(line));
    const lines = wanted.map((line): unknown => JSON.parse(line));
    const logged = z
      .array(z.object({ message: z.string(), batch: z.string(), trace: z.string() }))
      .parse(lines);
    expect(logged.map(({ message, batch: id, trace }) => [message, id.at(-1), trace[0]]).sort()).toEqual([
      ['begun', '1', '1'],
      ['begun', '2', '2'],
      ['planning', '1', 'f'],
      ['planning', '2', 'f'],
      ['record failed, it will be delivered again', '1', '1'],
      ['record failed, it will be delivered again', '2', '2'],
    ]);
  });

  test('counts what it was done with, and what failed', async () => {
    const handler = queueHandler(planMessage, async (message) => {
      if (message.batch === batch('2')) throw new Error('no');
    });
    const old = queueRecord('c', plan('3'));
    old.attributes.ApproximateReceiveCount = '2';
    const first = [queueRecord('a', plan('1')), queueRecord('b', plan('2'))];
    await handler({ Records: [...first, old] }, context);
    const noted = said.split('\n').flatMap((line) => figuresIn(line));
    const found = noted.map(({ name, values }) => [
      name.metric,
      name.dimensions['function'] !== undefined,
      values.length,
    ]);
    expect(found).toEqual([
      ['RecordsHandled', true, 2],
      ['RecordsFailed', true, 1],
      ['RecordsFailed', false, 1],
    ]);
  });

  test.each(['', 'no json', '{}', '{"v":2,"batch":"bt_"}'])(
    'sets "%s" aside, which is no message, and goes on with the others',
    async (body) => {
      const seen: string[] = [];
      const handler = queueHandler(planMessage, async (message) => {
        seen.push(message.batch);
      });
      const records = [queueRecord('odd', body), queueRecord('even', plan('1'))];
      expect(await handler({ Records: records }, context)).toEqual({
        batchItemFailures: [{ itemIdentifier: 'odd' }],
      });
      expect(seen).toEqual([batch('1')]);
      expect(said).toContain('message-unreadable');
    },
  );

  test('takes the margin off the time that is left, and names the worker after the invocation', async () => {
    const seen: [string, number][] = [];
    const handler = queueHandler(planMessage, async (_message, { owner, remainingMs }) => {
      seen.push([owner, remainingMs()]);
    });
    await handler({ Records: [queueRecord('a', plan('1'))] }, context);
    expect(seen).toEqual([['invocation-1', 60_000 - Number(variables.DEADLINE_MARGIN_MS)]]);
  });
});

describe('a function behind a queue of the world', () => {
  test('reads the text itself, with the time at which the queue took it in', async () => {
    const seen: unknown[] = [];
    const handler = textQueueHandler(async (text, delivery) => {
      seen.push([text, delivery.receivedAt]);
    });
    await handler({ Records: [queueRecord('a', 'anything at all')] }, context);
    expect(seen).toEqual([['anything at all', 1_790_000_000_000]]);
  });
});

describe('a function that looks at its messages together', () => {
  test('is called once, without those that are none, which are set aside', async () => {
    const calls: number[] = [];
    const handler = gatheringQueueHandler(planMessage, async (messages) => {
      calls.push(messages.length);
    });
    const records = [queueRecord('a', plan('1')), queueRecord('b', '?'), queueRecord('c', plan('2'))];
    expect(await handler({ Records: records }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }],
    });
    expect(calls).toEqual([2]);
  });

  test('is called for each alone when they fail together, so that one takes no other with it', async () => {
    const done: string[] = [];
    const handler = gatheringQueueHandler(planMessage, async (messages) => {
      if (messages.some((message) => message.batch === batch('2'))) throw new Error('poison');
      done.push(...messages.map((message) => message.batch));
    });
    const records = ['1', '2', '3'].map((digit) => queueRecord(digit, plan(digit)));
    expect(await handler({ Records: records }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }],
    });
    expect(done).toEqual([batch('1'), batch('3')]);
  });

  test('has all of them delivered again when all fail', async () => {
    const handler = gatheringQueueHandler(planMessage, async () => Promise.reject(new Error('no')));
    const answer = await handler(
      { Records: [queueRecord('a', plan('1')), queueRecord('b', plan('2'))] },
      context,
    );
    expect(answer.batchItemFailures).toHaveLength(2);
  });
});

describe('a function behind the stream', () => {
  const unreadable = { eventID: 'e1', dynamodb: { NewImage: { kind: { S: 'move' }, pk: { S: 'MOVE#1' } } } };

  test('passes over a row that it cannot read, and says which', async () => {
    const seen: number[] = [];
    const handler = streamHandler(async (changes) => {
      seen.push(changes.length);
    });
    expect(await handler({ Records: [unreadable] }, context)).toEqual({ batchItemFailures: [] });
    expect(seen).toEqual([]);
    expect(said).toContain('e1');
  });
});

describe('a function behind the API', () => {
  const asking = (resource: string, id: string): object => ({ resource, pathParameters: { id }, body: null });
  const moves = asking('/moves/{id}/explanation', 'mv_1');

  test('answers with what it reads, for browsers of any origin', async () => {
    const handler = readHandler(async (kind, id) => ({ kind, id }));
    expect(await handler(moves, context)).toEqual({
      statusCode: 200,
      headers: { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' },
      body: '{"kind":"moves","id":"mv_1"}',
    });
  });

  test.each([
    ['there is none', moves, undefined, 'move-unknown', 404],
    ['the table is away', moves, new StoreUnavailable('away'), 'store-busy', 503],
    ['it fails', moves, new RangeError('no'), 'api-failed', 500],
    ['the route is not its own', asking('/requests/{id}', '1'), {}, 'route-unknown', 404],
    ['what it is given is no request', { Records: [] }, {}, 'route-unknown', 404],
  ])('answers a problem when %s', async (_, event, found, code, status) => {
    const handler = readHandler(() =>
      found instanceof Error ? Promise.reject(found) : Promise.resolve(found),
    );
    const answer = await handler(event, context);
    expect(answer).toMatchObject({
      statusCode: status,
      headers: { 'Content-Type': 'application/problem+json', 'Access-Control-Allow-Origin': '*' },
    });
    expect(problem.parse(JSON.parse(answer.body))).toMatchObject({ code, status });
  });
});

describe('a function that the clock calls', () => {
  test('fails when its work fails, so that the failure is counted', async () => {
    const handler = scheduleHandler(async () => Promise.reject(new Error('the table does not answer')));
    const tick = {
      id: '1',
      version: '0',
      account: '000000000000',
      time: '2026-01-01T00:00:00Z',
      region: 'eu-central-1',
      resources: [],
      source: 'aws.events',
      'detail-type': 'Scheduled Event' as const,
      detail: undefined,
    };
    await expect(handler(tick, context)).rejects.toThrow('does not answer');
  });
});
