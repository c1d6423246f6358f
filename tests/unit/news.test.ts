import { describe, expect, test } from '@jest/globals';
import { blockersOf } from '../../shared/domain/blockers.ts';
import { finishedBatch, stuckMove } from '../../shared/domain/news.ts';
import { textOf } from '../../shared/domain/notification.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { relayChanges } from '../../shared/workflow/relay-changes.ts';
import { tellPeople } from '../../shared/workflow/tell-people.ts';
import type { Move } from '../../shared/domain/move.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, began, moveOf, states } from '../support/sample-batch.ts';

const soon = { remainingMs: () => 60_000 };
const stuck = moveOf(6, 'zoo', states.stuck);
const news = {
  id: 'h7:healing:1',
  kind: 'healing-begun',
  subject: 'h7 is being emptied',
  what: 'h7 has failed.',
  why: [],
  next: ['dray explain h7'],
  about: { host: 'h7' },
} as const;

describe('what people read', () => {
  test('of a move that is stuck', () => {
    const told = stuckMove(stuck);
    expect(told).toMatchObject({
      id: `mv_0000000000000006:stuck:${String(began + 5_000)}`,
      subject: 'the move of zoo from a to b is stuck',
      about: { endpoint: 'zoo', code: 'no-space' },
    });
    expect(told === undefined ? '' : textOf(told)).toBe(
      `The move of zoo from a to b has stopped in undoing freeze, and goes neither on nor back by itself.

Why:
  b has too little room (no-space)

What next:
  make room on b
  dray explain zoo
  dray move show mv_0000000000000006`,
    );
    expect(stuckMove(moveOf(1, 'shop', states.waiting))).toBeUndefined();
  });

  test('of a batch that is finished, with its reasons', () => {
    const moves = [moveOf(1, 'crm', states.rolledBack), moveOf(2, 'mail', states.rolledBack), stuck];
    const batch = batchOf({ skipped: { lines: 2, report: { key: 'k', sha256: 's', bytes: 1 } } });
    const counts = { moved: 30, retired: 8, 'rolled-back': 2, stuck: 1 };
    const told = finishedBatch(batch, counts, blockersOf(moves, new Map()));
    expect(told.subject).toBe('batch bt_0123456789abcdef0123 is finished: 38 of 41 moved');
    expect(textOf(told)).toBe(
      `Batch bt_0123456789abcdef0123 (disk is failing) is finished: 38 of 41 endpoints moved, 2 stayed where they were, 1 is stuck.

Why:
  3: b has too little room (no-space); make room on b
  2: lines of the manifest that were wrong

What next:
  dray batch show bt_0123456789abcdef0123
  dray explain mv_0000000000000001`,
    );
    expect(told.about).toEqual({ batch: batch.id, moved: 38, rolledBack: 2, stuck: 1, left: 2 });
  });

  test('of a batch of which all has moved', () => {
    const told = finishedBatch(batchOf(), { moved: 2 }, []);
    expect(told.subject).toBe('batch bt_0123456789abcdef0123 is finished: all 2 moved');
    expect(told.why).toEqual([]);
  });
});

describe('people are told', () => {
  test('once, however often it is asked for and relayed', async () => {
    const { services, bus } = new MoveBench();
    await tellPeople(services, news);
    await tellPeople(services, { ...news, what: 'said again' });
    const after = await services.store.load('news', news);
    for (let times = 0; times < 2; times += 1)
      await relayChanges(services, after === undefined ? [] : [{ kind: 'news', after }]);
    await sweepRows(services, soon);
    expect(bus.notified).toMatchObject([{ ...news, version: 1 }]);
  });

  test('by the sweep, when the stream was lost', async () => {
    const { services, bus } = new MoveBench();
    await tellPeople(services, news);
    await sweepRows(services, soon);
    await sweepRows(services, soon);
    expect(bus.notified.map(({ id }) => id)).toEqual([news.id]);
  });

  test('again under the same id, when the teller died before it was noted', async () => {
    const { services, bus } = new MoveBench();
    await tellPeople(services, news);
    const dying = { ...services.store, commit: () => Promise.reject(new Error('killed')) };
    await expect(sweepRows({ ...services, store: dying }, soon)).rejects.toThrow('killed');
    await sweepRows(services, soon);
    await sweepRows(services, soon);
    expect(bus.notified.map(({ id }) => id)).toEqual([news.id, news.id]);
  });

  test('again when the sender died before they were out', async () => {
    const { services, bus } = new MoveBench();
    await tellPeople(services, news);
    const notify = bus.notify.bind(bus);
    bus.notify = () => Promise.reject(new Error('killed'));
    await expect(sweepRows(services, soon)).rejects.toThrow('killed');
    bus.notify = notify;
    await sweepRows(services, soon);
    expect(bus.notified).toMatchObject([{ id: news.id }]);
  });

  test('of the end of a batch, by whoever closes it', async () => {
    const { services } = new MoveBench();
    const batch = batchOf({ resolved: await services.blobs.put([]), total: 0 });
    await services.store.insert('batch', batch);
    await dispatchMoves(services, [{ batch: batch.id }], soon);
    expect((await services.store.load('batch', batch))?.state).toBe('completed');
    expect(await services.store.load('news', { id: `${batch.id}:completed` })).toMatchObject({
      kind: 'batch-finished',
    });
  });

  test('of a move that is stuck, by the relay and by the sweep, once for each of its runs', async () => {
    for (const way of ['relay', 'sweep'] as const) {
      const bench = new MoveBench();
      let move = await bench.addMove({ ...states.stuck, endedAt: bench.clock.now() });
      const tell = async (): Promise<void> => {
        bench.clock.pass(60_000);
        if (way === 'relay')
          await relayChanges(bench.services, [{ kind: 'move', after: await bench.move() }]);
        else await sweepRows(bench.services, soon);
        await sweepRows(bench.services, soon);
      };
      await tell();
      await tell();
      expect(bench.bus.notified).toMatchObject([{ kind: 'move-stuck', about: { endpoint: 'shop' } }]);
      move = await bench.move();
      const endedAt = bench.clock.now();
      const again: Move = { ...move, execution: { ...move.execution, status: { ...states.stuck, endedAt } } };
      await bench.services.store.commit('move', move, again);
      await tell();
      const ids = bench.bus.notified.map(({ id }) => id);
      expect(ids).toHaveLength(2);
      expect(ids.at(-1)).toBe(`${move.id}:stuck:${String(endedAt)}`);
    }
  });

  test('and that they know is no transition of the move', async () => {
    const bench = new MoveBench();
    const before = await bench.addMove({ ...states.stuck, endedAt: bench.clock.now() });
    await relayChanges(bench.services, [{ kind: 'move', after: before }]);
    const after = await bench.move();
    await relayChanges(bench.services, [{ kind: 'move', before, after }]);
    expect((await bench.services.views.history(before.id)).items).toHaveLength(1);
  });
});
