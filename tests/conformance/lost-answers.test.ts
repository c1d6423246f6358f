import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { createStore } from '../../shared/aws/store.ts';
import { readFailure } from '../../shared/aws/trouble.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { Store } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { sample } from '../support/samples.ts';
import { createTestTable, localClient, startTestDynamo, type TestDynamo } from '../support/test-table.ts';

describe('over a wire that breaks', () => {
  const closing: (() => Promise<void> | void)[] = [];
  let dynamo: TestDynamo;
  let proxy: CuttingProxy;
  /** Over the wire that breaks. */
  let store: Store;
  /** Over one that does not. */
  let observer: Store;

  beforeAll(async () => {
    dynamo = await startTestDynamo('dynoxide');
    proxy = await startCuttingProxy(dynamo.endpoint);
    const open = (endpoint: string, aloneMs: number): Store => {
      const client = createDynamoClient(localClient(endpoint));
      const onceClient = createDynamoOnceClient(localClient(endpoint));
      closing.push(() => {
        client.destroy();
        onceClient.destroy();
      });
      return createStore({
        client,
        onceClient,
        table: 'wire',
        clock: machineClock,
        chance: machineChance,
        patience: { tries: 3, baseMs: 1, capMs: 5 },
        lanes: 1,
        aloneMs,
      });
    };
    const client = createDynamoClient(localClient(dynamo.endpoint));
    await createTestTable(client, 'wire');
    client.destroy();
    store = open(proxy.endpoint, 400);
    observer = open(dynamo.endpoint, 10_000);
  });
  afterEach(() => {
    expect(proxy.fates.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await proxy.close();
    await dynamo.stop();
  });

  test('an insert whose answer is lost is known to be ours', async () => {
    const placement = sample('endpoint');
    proxy.fates.push('drop-answer');
    expect(await store.insert('endpoint', placement)).toBe('inserted');
    expect(await observer.load('endpoint', placement)).toEqual(placement);
  });

  test('a commit whose answer is lost is known to be ours, alone and in company', async () => {
    const placements = [sample('endpoint'), sample('endpoint'), sample('endpoint')];
    for (const each of placements) await observer.insert('endpoint', each);
    const [first] = placements;
    if (first === undefined) throw new RangeError('no placement');
    proxy.fates.push('drop-answer');
    const alone = await store.commit('endpoint', first, { ...first, database: 'alone' });
    expect(alone).toMatchObject({ kind: 'committed' });
    if (alone.kind !== 'committed') throw new RangeError('refused');

    proxy.fates.push('drop-answer');
    const current = [alone.record, ...placements.slice(1)];
    const answers = await Promise.all(
      current.map(async (each) => await store.commit('endpoint', each, { ...each, database: 'together' })),
    );
    expect(answers.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'committed']);
    const found = await observer.loadMany('endpoint', placements);
    expect(found.map((each) => [each?.database, each?.version])).toEqual([
      ['together', 3],
      ['together', 2],
      ['together', 2],
    ]);
  });

  test('a commit that lost to another is a conflict, also when answers are lost', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    await observer.commit('endpoint', placement, { ...placement, database: 'theirs' });
    proxy.fates.push('drop-answer');
    expect(await store.commit('endpoint', placement, { ...placement, database: 'mine' })).toEqual({
      kind: 'conflict',
    });
  });

  test('a commit that never arrives is sent again', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    proxy.fates.push('drop-request', 'drop-request');
    const answer = await store.commit('endpoint', placement, { ...placement, database: 'mine' });
    expect(answer).toMatchObject({ kind: 'committed' });
    expect(await observer.load('endpoint', placement)).toMatchObject({ database: 'mine', version: 2 });
  });

  test('a removal whose answer is lost has removed', async () => {
    const record = sample('cleanup');
    await observer.insert('cleanup', record);
    proxy.fates.push('drop-answer');
    expect(await store.remove('cleanup', record)).toBe('removed');
  });

  test('a commit of the arbiter is sent exactly once', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    const before = proxy.seen();
    proxy.fates.push('drop-request');
    expect(await store.commitAlone('endpoint', placement, { ...placement, database: 'mine' })).toEqual({
      kind: 'unknown',
    });
    // The write, and the reading that tells whether it happened.
    expect(proxy.seen() - before).toBe(2);
    expect(await observer.load('endpoint', placement)).toEqual(placement);
  });

  test('a commit of the arbiter whose answer is lost is known to be ours when the row shows it', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    proxy.fates.push('drop-answer');
    const answer = await store.commitAlone('endpoint', placement, { ...placement, database: 'mine' });
    expect(answer).toEqual({ kind: 'committed', record: { ...placement, database: 'mine', version: 2 } });
  });

  test('a commit of the arbiter that nobody answers is unknown, and may still land', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    proxy.fates.push('hold');
    const answer = await store.commitAlone('endpoint', placement, { ...placement, database: 'late' });
    expect(answer).toEqual({ kind: 'unknown' });
    expect(await observer.load('endpoint', placement)).toEqual(placement);
    await proxy.land();
    expect(await observer.load('endpoint', placement)).toMatchObject({ database: 'late', version: 2 });
  });

  test('a commit of the arbiter that nobody answers can never land once another has been written', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    proxy.fates.push('hold');
    expect(await store.commitAlone('endpoint', placement, { ...placement, database: 'late' })).toEqual({
      kind: 'unknown',
    });
    expect(await observer.commit('endpoint', placement, { ...placement, database: 'fence' })).toMatchObject({
      kind: 'committed',
    });
    await proxy.land();
    expect(await observer.load('endpoint', placement)).toMatchObject({ database: 'fence', version: 2 });
  });

  test('a table that answers nothing is unavailable, and says nothing else', async () => {
    const placement = sample('endpoint');
    await observer.insert('endpoint', placement);
    // Three tries of ours, three of the SDK in each.
    proxy.fates.push(...Array.from({ length: 9 }, () => 'drop-request' as const));
    await expect(store.commit('endpoint', placement, { ...placement, database: 'mine' })).rejects.toThrow(
      StoreUnavailable,
    );
    proxy.fates.push('drop-request', 'drop-request', 'drop-request');
    await expect(store.load('endpoint', placement)).rejects.toThrow(StoreUnavailable);
  });
});

describe('a table that cannot be reached', () => {
  test('is unavailable, whatever is asked of it', async () => {
    const nowhere = localClient('http://127.0.0.1:1');
    const client = createDynamoClient(nowhere);
    const onceClient = createDynamoOnceClient(nowhere);
    const store = createStore({
      client,
      onceClient,
      table: 'wire',
      clock: machineClock,
      chance: machineChance,
      patience: { tries: 2, baseMs: 1, capMs: 2 },
    });
    const host = sample('host');
    await expect(store.load('host', host)).rejects.toThrow(StoreUnavailable);
    await expect(store.insert('host', host)).rejects.toThrow(StoreUnavailable);
    await expect(store.commit('host', host, host)).rejects.toThrow(StoreUnavailable);
    client.destroy();
    onceClient.destroy();
  });
});

describe('a failed call', () => {
  const answered = (name: string, httpStatusCode: number) => ({
    name,
    $metadata: { httpStatusCode, attempts: 1 },
  });
  test.each([
    ['condition', answered('ConditionalCheckFailedException', 400)],
    ['condition', answered('DuplicateItemException', 400)],
    ['throttled', answered('ProvisionedThroughputExceededException', 400)],
    ['throttled', answered('ThrottlingException', 400)],
    ['throttled', answered('SlowDown', 503)],
    ['throttled', answered('TransactionConflictException', 400)],
    ['wrong', answered('ValidationException', 400)],
    ['wrong', answered('ResourceNotFoundException', 400)],
    ['wrong', answered('AccessDeniedException', 403)],
    ['lost', answered('InternalServerError', 500)],
    ['lost', answered('ServiceUnavailable', 503)],
    ['lost', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
    ['lost', Object.assign(new Error('aborted'), { name: 'AbortError' })],
    ['lost', Object.assign(new Error('late'), { name: 'TimeoutError' })],
    ['lost', Object.assign(new SyntaxError('half an answer'), { $metadata: { httpStatusCode: 200 } })],
    ['unsent', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })],
    ['unsent', Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })],
  ])('means "%s" for %p', (trouble, error) => {
    expect(readFailure(error).trouble).toBe(trouble);
  });
});

describe('the table in memory', () => {
  test('fails as it is told to', async () => {
    const table = new MemoryTable();
    const store = createMemoryStore(table, { chance: machineChance });
    const placement = sample('endpoint');
    await store.insert('endpoint', placement);
    const mine = { ...placement, database: 'mine' };

    table.fault = ({ operation }) => (operation === 'write' ? 'late' : 'none');
    expect(await store.commitAlone('endpoint', placement, mine)).toEqual({ kind: 'unknown' });
    expect(await store.load('endpoint', placement)).toEqual(placement);
    table.land();
    expect(await store.load('endpoint', placement)).toEqual({ ...mine, version: 2 });

    table.fault = () => 'lost-answer';
    await expect(store.load('endpoint', placement)).rejects.toThrow(StoreUnavailable);
    await expect(store.commit('endpoint', { ...mine, version: 2 }, placement)).rejects.toThrow(
      StoreUnavailable,
    );
    table.fault = () => 'none';
    expect(await store.load('endpoint', placement)).toEqual({ ...placement, version: 3 });

    table.fault = () => 'lost-request';
    await expect(store.commit('endpoint', { ...placement, version: 3 }, mine)).rejects.toThrow(
      StoreUnavailable,
    );
    table.fault = () => 'none';
    expect(await store.load('endpoint', placement)).toEqual({ ...placement, version: 3 });
  });
});
