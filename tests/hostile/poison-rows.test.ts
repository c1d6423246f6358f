import { expect, test } from '@jest/globals';
import { entriesOf, movesOf } from '../../cli/exported-moves.ts';
import { codecs } from '../../shared/aws/layout.ts';
import { endpointName, hostName, type BatchId, type EndpointName } from '../../shared/domain/ids.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { moveIdOf, planBatch } from '../../shared/workflow/planning/plan-batch.ts';
import { noteFailure } from '../../shared/workflow/note-failure.ts';
import { setAside } from '../../shared/workflow/set-aside.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';
import type { RowKey } from '../../shared/contracts/rows/row.ts';
import { RowUnreadable, StoreUnavailable } from '../../shared/ports/failures.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';
import { HostileWorld, planningServices } from '../support/hostile-world.ts';
import { failure } from '../support/sample-batch.ts';

const time = { remainingMs: () => 60_000 };
const names = ['p1', 'p2', 'p3'].map(endpointName);
const [, poison = endpointName('p2')] = names;

/** A batch that empties `p`, on which three endpoints are, to `h2`. */
async function prepared() {
  const { world, table } = await HostileWorld.inMemory();
  for (const name of names) await world.endpoint(name, 'late');
  const spoil = async (key: RowKey): Promise<void> => {
    await table.write(key, (row) => (row === undefined ? 'refused' : { ...row, commitId: 7 }));
  };
  const data = { reason: 'test', host: 'late', target: 'h2' };
  const event = { specversion: '1.0', id: 'p', source: '/ops', type: 'batch-move.requested', data };
  await world.deliver('requests', JSON.stringify(event));
  const kept = await world.store.load('request', { source: '/ops', id: 'p' });
  if (kept?.outcome.kind !== 'accepted' || kept.outcome.batch === undefined) throw new Error('not accepted');
  const services = planningServices(world, table);
  const id: BatchId = kept.outcome.batch;
  const batch = async () => {
    const found = await world.store.load('batch', { id });
    if (found === undefined) throw new Error('no batch');
    return found;
  };
  const moveOf = async (name: EndpointName) => moveIdOf(services, await batch(), name);
  const working = () => world.bus.sent.filter(({ queue }) => queue === 'transfer').map(({ text }) => text);
  return { world, table, services, id, batch, spoil, moveOf, working };
}

test('a placement that cannot be read is left out of the plan and named; the others are planned', async () => {
  const { services, id, batch, spoil } = await prepared();
  await spoil(codecs.endpoint.key({ endpoint: poison }));
  await planBatch(services, { batch: id }, time);
  expect(await batch()).toMatchObject({
    state: 'running',
    total: 2,
    unknown: { count: 1, examples: [poison] },
  });
});

test('a move that cannot be read holds up no other, gives its permits back, and its batch ends and says so', async () => {
  const { world, services, id, batch, spoil, moveOf, working } = await prepared();
  await planBatch(services, { batch: id }, time);
  await spoil(codecs.move.key({ id: await moveOf(poison) }));

  await dispatchMoves(services, [{ batch: id }], time);
  const others = names.filter((name) => name !== poison);
  for (const name of others) expect(working().join()).toContain(await moveOf(name));
  expect(working()).toHaveLength(others.length);
  const source = await world.store.load('host', { name: hostName('late') });
  expect(source?.permitsOut).not.toContain(await moveOf(poison));

  for (const name of others) {
    const move = await world.store.load('move', { id: await moveOf(name) });
    if (move === undefined) throw new Error(`no move of ${name}`);
    const status = { state: 'rolled-back', endedAt: 1, reason: failure } as const;
    await world.store.commit('move', move, { ...move, execution: { ...move.execution, status } });
  }
  await dispatchMoves(services, [{ batch: id }], time);
  expect(await batch()).toMatchObject({ state: 'completed', counts: { 'rolled-back': 2, stuck: 1 } });
});

test('rows that cannot be read are left out of what auditors are told, and named; the others are told', async () => {
  const { services, id, batch, spoil, moveOf } = await prepared();
  await planBatch(services, { batch: id }, time);
  const told = async () => {
    const missing: string[] = [];
    const of: unknown[] = [];
    for await (const entries of entriesOf(services, movesOf(services, id), (what) => missing.push(what)))
      of.push(...entries.map(({ endpoint, reason }) => [endpoint, reason]));
    return { missing, of: of.sort() };
  };
  await spoil(codecs.move.key({ id: await moveOf(poison) }));
  const move = await moveOf(poison);
  const { reason } = await batch();
  expect(await told()).toEqual({
    missing: [`move ${move} is left out: its row cannot be read; dray move show ${move} says why`],
    of: [
      ['p1', reason],
      ['p3', reason],
    ],
  });
  await spoil(codecs.batch.key({ id }));
  expect(await told()).toEqual({
    missing: [expect.stringContaining(move), expect.stringContaining(`batch ${id} cannot be read`)],
    of: [
      ['p1', null],
      ['p3', null],
    ],
  });
});

test('a due row that cannot be read does not keep the sweep from those behind it', async () => {
  const { world, services, id, spoil, moveOf, working } = await prepared();
  await planBatch(services, { batch: id }, time);
  await dispatchMoves(services, [{}], time);
  await spoil(codecs.move.key({ id: await moveOf(poison) }));
  world.bus.sent.length = 0;
  const later = { ...services.clock, now: () => Date.now() + 600_000 };
  await sweepRows({ ...services, clock: later }, time);
  expect(working()).toHaveLength(names.length - 1);
  await expect(world.store.load('move', { id: await moveOf(poison) })).rejects.toThrow(RowUnreadable);
});

test('a due row on which the sweep fails does not keep it from those behind it, and is reported', async () => {
  const { world, services, id, moveOf, table, working } = await prepared();
  await planBatch(services, { batch: id }, time);
  await dispatchMoves(services, [{}], time);
  world.bus.sent.length = 0;
  const { pk } = codecs.move.key({ id: await moveOf(poison) });
  table.fault = ({ operation, key }) => (operation === 'read' && key?.pk === pk ? 'lost-request' : 'none');
  const later = { ...services.clock, now: () => Date.now() + 600_000 };
  await expect(sweepRows({ ...services, clock: later }, time)).rejects.toThrow('not answered');
  expect(working()).toHaveLength(names.length - 1);
});

test('a move that every function fails on is set aside after the third time, and its batch ends and says so', async () => {
  const { world, services, id, batch, moveOf } = await prepared();
  await planBatch(services, { batch: id }, time);
  await dispatchMoves(services, [{ batch: id }], time);
  const move = await moveOf(poison);
  const admitted = await world.store.load('move', { id: move });
  if (admitted?.execution.status.state !== 'running') throw new Error('not admitted');
  // As a release leaves it that has a step more.
  const status = { ...admitted.execution.status, step: 'a-step-of-tomorrow' };
  const odd = { ...admitted, execution: { ...admitted.execution, status } };
  expect((await world.store.commit('move', admitted, odd)).kind).toBe('committed');

  const hands = {
    ...services,
    secrets: createMemorySecrets(new Map()),
    driver: async () => Promise.reject(new Error('no host is asked')),
  };
  const message = { kind: 'work', task: move, phase: 'transfer' } as const;
  const failing = async (receives: number) => {
    const error = await workOnMove(hands, message, { owner: 'w', ...time }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RangeError);
    return noteFailure(services, { message: 'm1', queue: 'transfer', receives }, error);
  };
  expect(await failing(2)).toBeUndefined();
  const poisoned = await failing(3);
  if (poisoned === undefined) throw new Error('the third failure is not told');
  for (let times = 0; times < 2; times += 1) await setAside(services, message, poisoned, 'w');
  const aside = await world.store.load('move', { id: move });
  expect(aside?.execution.status).toMatchObject({
    state: 'rolling-back',
    reason: { code: 'unexpected', quarantined: true },
  });
  expect(world.bus.sent.at(-1)).toMatchObject({ queue: 'rollback' });

  for (const name of names) {
    const row = await world.store.load('move', { id: await moveOf(name) });
    if (row === undefined) throw new Error(`no move of ${name}`);
    const { status: was } = row.execution;
    const reason = 'reason' in was ? was.reason : failure;
    const ended = { state: 'rolled-back', endedAt: 1, reason } as const;
    await world.store.commit('move', row, { ...row, execution: { ...row.execution, status: ended } });
  }
  await dispatchMoves(services, [{ batch: id }], time);
  expect(await batch()).toMatchObject({ state: 'completed', counts: { 'rolled-back': 3 } });
  expect(world.bus.announced.at(-1)).toMatchObject({ type: 'batch.completed', data: { quarantined: 1 } });
});

test('a failure that is another each time, or the table that is away, sets nothing aside', async () => {
  const { services } = await prepared();
  const noted = (receives: number, error: unknown) =>
    noteFailure(services, { message: 'm2', queue: 'transfer', receives }, error);
  expect(await noted(2, new Error('one'))).toBeUndefined();
  expect(await noted(3, new Error('another'))).toBeUndefined();
  expect(await noted(4, new StoreUnavailable('away'))).toBeUndefined();
  expect(await noted(5, new StoreUnavailable('away'))).toBeUndefined();
});
