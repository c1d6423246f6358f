import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { createJournal } from '../../shared/aws/journal.ts';
import { createPermits } from '../../shared/aws/permits.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import { moveId } from '../../shared/domain/ids.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { HistoryEntry } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { belowRetries, cloudFaults, Faults, refusals } from '../support/cloud-faults.ts';
import { sample } from '../support/samples.ts';
import { createTestTable, localClient, startTestDynamo, type TestDynamo } from '../support/test-table.ts';

const table = 'faulty';
const fate = { clock: machineClock, chance: machineChance };
const patience = { tries: 5, baseMs: 5, capMs: 20 };
const [mine, other] = [moveId(`mv_${'1'.repeat(16)}`), moveId(`mv_${'2'.repeat(16)}`)];

let dynamo: TestDynamo;
let ports: ReturnType<typeof openTable>;

beforeAll(async () => {
  dynamo = await startTestDynamo('dynoxide');
  ports = openTable(dynamo.endpoint);
  await createTestTable(ports.client, table);
});
afterAll(async () => {
  ports.client.destroy();
  ports.onceClient.destroy();
  await dynamo.stop();
});

function openTable(endpoint: string) {
  const client = createDynamoClient(localClient(endpoint));
  const onceClient = createDynamoOnceClient(localClient(endpoint));
  const faults = new Faults();
  client.middlewareStack.add((next) => async (args) => faults.pass(() => next(args)), belowRetries);
  const once = new Faults();
  onceClient.middlewareStack.add((next) => async (args) => once.pass(() => next(args)), belowRetries);
  const basis = { client, table, ...fate, patience };
  return {
    client,
    onceClient,
    faults,
    once,
    store: createStore({ ...basis, onceClient }),
    permits: createPermits(basis),
    journal: createJournal(basis),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
  };
}

/** A host's row with room for one move, held by `held`. */
async function hostWith(held: readonly (typeof mine)[]) {
  const host = { ...sample('host'), permitsOut: held, permitsIn: [], reserved: {} };
  await ports.store.insert('host', host);
  const row = async () => {
    const found = await ports.store.load('host', { name: host.name });
    return { out: found?.permitsOut, reserved: found?.reserved };
  };
  return { name: host.name, row };
}

describe.each(cloudFaults)('when a call is %s', (fault) => {
  const spoiled = async <T>(call: () => Promise<T>): Promise<T> => {
    ports.faults.next.push(fault);
    try {
      return await call();
    } finally {
      expect(ports.faults.next).toEqual([]);
    }
  };

  test('a permit is taken once, and nobody else can have it', async () => {
    const { name, row } = await hostWith([]);
    expect(await spoiled(async () => ports.permits.take(name, 'out', mine, 1))).toBe(true);
    expect(await spoiled(async () => ports.permits.take(name, 'out', other, 1))).toBe(false);
    expect((await row()).out).toEqual([mine]);
  });

  test('a permit is given back, and only that one', async () => {
    const { name, row } = await hostWith([mine, other]);
    await spoiled(async () => ports.permits.giveBack(name, 'out', mine));
    expect((await row()).out).toEqual([other]);
  });

  test('space is set aside once, and given back', async () => {
    const { name, row } = await hostWith([]);
    await spoiled(async () => ports.permits.reserve(name, mine, 5_000));
    expect((await row()).reserved).toEqual({ [mine]: 5_000 });
    await spoiled(async () => ports.permits.unreserve(name, mine));
    expect((await row()).reserved).toEqual({});
    await ports.permits.reserve(name, mine, 5_000);
    await spoiled(async () => ports.permits.vacate(name, mine));
    expect((await row()).reserved).toEqual({});
  });

  test('a record is made, changed and removed once', async () => {
    const record = sample('cleanup');
    expect(await spoiled(async () => ports.store.insert('cleanup', record))).toBe('inserted');
    const answer = await spoiled(async () => ports.store.commit('cleanup', record, { ...record, items: [] }));
    expect(answer).toMatchObject({ kind: 'committed', record: { version: 2 } });
    if (answer.kind !== 'committed') throw new Error('not committed');
    expect(await spoiled(async () => ports.store.load('cleanup', record))).toEqual(answer.record);
    expect(await spoiled(async () => ports.store.remove('cleanup', answer.record))).toBe('removed');
  });

  test('a history has every entry, and each once', async () => {
    const move = moveId(`mv_${String(cloudFaults.indexOf(fault)).repeat(16)}`);
    const entry = { move, at: 4_000_000_000_000, by: 'test', fact: 'x', from: 'a', to: 'b' };
    const entries = Array.from({ length: 30 }, (_, nth): HistoryEntry => ({ ...entry, version: nth + 1 }));
    await spoiled(async () => ports.journal.append(entries));
    const { items } = await spoiled(async () => ports.views.history(move));
    expect(items.map(({ version }) => version)).toEqual(entries.map(({ version }) => version));
  });

  test('records of one moment are changed once, and read', async () => {
    const hosts = [sample('host'), sample('host'), sample('host')];
    for (const host of hosts) await ports.store.insert('host', host);
    const answers = await spoiled(async () =>
      Promise.all(hosts.map(async (host) => ports.store.commit('host', host, { ...host, zone: 'other' }))),
    );
    expect(answers.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'committed']);
    const found = await spoiled(async () => ports.store.loadMany('host', hosts));
    expect(found.map((host) => [host?.zone, host?.version])).toEqual(hosts.map(() => ['other', 2]));
  });

  test('the arbiter says that it ruled when it did, and writes no second time', async () => {
    const placement = sample('endpoint');
    await ports.store.insert('endpoint', placement);
    const ruled = { ...placement, database: 'ruled' };
    const sent = ports.once.sent;
    ports.once.next.push(fault);
    const answer = ports.store.commitAlone('endpoint', placement, ruled);
    if (refusals.has(fault)) await expect(answer).rejects.toThrow(StoreUnavailable);
    else if (fault === 'server-error') expect(await answer).toEqual({ kind: 'unknown' });
    else expect(await answer).toEqual({ kind: 'committed', record: { ...ruled, version: 2 } });
    expect(ports.once.sent - sent).toBe(1);
    const isDone = !refusals.has(fault) && fault !== 'server-error';
    expect((await ports.store.load('endpoint', placement))?.version).toBe(isDone ? 2 : 1);
  });

  test('a display count is never less than what happened', async () => {
    const batch = { ...sample('batch'), state: 'running' as const, counts: {} };
    await ports.store.insert('batch', batch);
    await spoiled(async () => ports.journal.count(batch.id, { moved: 1, waiting: -1 }));
    const counts = (await ports.store.load('batch', batch))?.counts;
    // An addition cannot be told from its repeat; a batch that ends is counted anew.
    const most = fault === 'answer-lost' || fault === 'error-after' ? 2 : 1;
    expect([1, most]).toContain(counts?.moved);
  });
});
