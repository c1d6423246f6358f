import { describe, expect, test } from '@jest/globals';
import { explanationAnswer } from '../../shared/contracts/api/explanations.ts';
import { freshFleet } from '../../shared/domain/fleet.ts';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { explainBatchNow } from '../../shared/workflow/explain/explain.ts';
import { explainNamed } from '../../shared/workflow/explain/explain-named.ts';
import { MoveBench } from '../support/move-bench.ts';
import { arrived, batchOf, began, hostOf, moveOf, states } from '../support/sample-batch.ts';

const at = { by: '/ops', at: began + 60_000, reason: 'payroll' };
const full = { permitsOut: [moveId('mv_00000000000000a1')], movesOut: 1 };

/** A batch of one move of `shop` that waits to leave `a`, which is full. */
async function scene() {
  const { services } = new MoveBench();
  const { store } = services;
  const move = moveOf(1, 'shop', states.waiting);
  await store.insert('batch', batchOf({ total: 1 }));
  await store.insert('move', move);
  for (const host of [hostOf('a', full), hostOf('b')]) await store.insert('host', host);
  await store.insert('endpoint', {
    ...{
      endpoint: endpointName('shop'),
      driver: 'postgres',
      host: hostName('a'),
      database: 'shop',
      epoch: 3,
    },
    ...{ arbitration: { kind: 'serving' }, claim: { move: move.id, firstToken: 1 }, claims: 1 },
    ...{ announcedEpoch: 3, sizeBytes: 1, labels: {}, registeredAt: began, version: 1 },
  });
  return { services, store, move };
}

describe('what the API explains', () => {
  test('is told of each kind as dray tells it, and fits the contract', async () => {
    const { services, move } = await scene();
    const told = {
      batches: await explainNamed(services, 'batches', move.batch),
      moves: await explainNamed(services, 'moves', move.id),
      endpoints: await explainNamed(services, 'endpoints', 'shop'),
      hosts: await explainNamed(services, 'hosts', 'a'),
    };
    expect(told.batches?.blockers).toMatchObject([{ code: 'permit', on: 'a permit out of a', moves: 1 }]);
    expect(told.moves).toMatchObject({
      sentence: 'waits for a permit out of a',
      since: began,
      actions: ['dray explain a', 'dray explain b'],
    });
    expect(told.endpoints?.sentence).toContain(
      `${move.id} moves it from a to b: waits for a permit out of a`,
    );
    expect(told.hosts?.sentence).toContain('holds 1 endpoints; permits out 1/1');
    for (const each of Object.values(told)) expect(explanationAnswer.parse(each)).toEqual(each);
  });

  test('knows of a pause of everything, and of a batch that is held back', async () => {
    const { services, store, move } = await scene();
    await store.insert('fleet', { ...freshFleet, paused: at });
    for (const kind of ['batches', 'moves'] as const) {
      const told = await explainNamed(services, kind, kind === 'moves' ? move.id : move.batch);
      expect(told?.blockers).toMatchObject([
        { code: 'paused', since: at.at, cure: 'dray resume --all --reason …' },
      ]);
    }
  });

  test('tells of an endpoint that nobody moves what its last move ended as', async () => {
    const { services, store, move } = await scene();
    const placement = await store.load('endpoint', { endpoint: endpointName('shop') });
    if (placement === undefined) throw new Error('not there');
    const { claim: _, ...free } = placement;
    await store.commit('endpoint', placement, { ...free, lastMove: move.id });
    await store.commit('move', move, moveOf(1, 'shop', states.rolledBack));
    expect((await explainNamed(services, 'endpoints', 'shop'))?.sentence).toContain(
      `its last move was ${move.id}, from a to b: rolled back`,
    );
  });

  test.each([
    ['batches', 'bt_99999999999999999999'],
    ['moves', 'mv_9999999999999999'],
    ['endpoints', 'nobody'],
    ['hosts', 'nobody'],
    ['batches', '"; DROP'],
    ['hosts', '../a'],
  ] as const)('of %s %s is nothing', async (kind, id) => {
    expect(await explainNamed((await scene()).services, kind, id)).toBeUndefined();
  });
});

test('of a large batch only some moves are read, those first that tell most, and all are counted', async () => {
  const { services } = new MoveBench();
  const { store } = services;
  const moves = [
    ...[1, 2, 3, 4].map((nth) =>
      moveOf(nth, `done-${String(nth)}`, states.completed, { results: arrived(1, 1) }),
    ),
    ...[5, 6, 7, 8, 9].map((nth) => moveOf(nth, `waits-${String(nth)}`, states.waiting)),
    moveOf(10, 'stuck', states.stuck),
    moveOf(11, 'lost', states.rolledBack),
  ];
  await store.insert('batch', batchOf({ total: 11 }));
  for (const host of [hostOf('a', full), hostOf('b')]) await store.insert('host', host);
  for (const move of moves) await store.insert('move', move);
  const id = batchOf().id;
  const whole = await explainBatchNow(services, id);
  const part = await explainBatchNow(services, id, 6);
  expect(whole?.sentence).toBe('runs: 4 of 11 moved, 2 not');
  expect(part?.sentence).toBe(`${String(whole?.sentence)}; 6 of its 11 moves were looked at`);
  expect(part?.blockers.map(({ code, moves: figure }) => [code, figure]).sort()).toEqual(
    [
      ['no-space', 2],
      ['permit', 1],
    ].sort(),
  );
});
