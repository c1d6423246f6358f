import { describe, expect, test } from '@jest/globals';
import { explainMove } from '../../shared/domain/explain.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Row } from '../../shared/contracts/rows/row.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { priorities } from '../../shared/domain/priority.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import type { Services } from '../../shared/workflow/services.ts';
import { setAside } from '../../shared/workflow/set-aside.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, began, failure, moveOf, states } from '../support/sample-batch.ts';

const soon = { remainingMs: () => 60_000 };

/** A move that the release before this one, or after it, has made, by steps that this one does not have. */
function elsewise(status: ExecutionState, nth = 1): Move {
  const move = moveOf(nth, 'shop', status);
  return { ...move, execution: { ...move.execution, workflow: 'move-endpoint/2' } };
}

const warming: ExecutionState = {
  state: 'running',
  step: 'warm-up',
  failures: 0,
  idleHandovers: 0,
  deaths: 0,
  dueAt: 0,
  spentMs: 0,
  forwardOnly: false,
  retreats: 0,
};

async function benchWith(...moves: readonly Move[]): Promise<MoveBench> {
  const bench = new MoveBench();
  await bench.addHost('a');
  await bench.addHost('b');
  await bench.services.store.insert('batch', batchOf({ total: moves.length }));
  for (const move of moves) await bench.services.store.insert('move', move);
  return bench;
}

describe('a move that has begun by a workflow of another release', () => {
  test('is left as it is by workers and the sweep, which asks again for as long as it is due', async () => {
    const move = elsewise(warming);
    const bench = await benchWith(move);
    await bench.bus.sendWork({ kind: 'work', task: move.id, phase: 'transfer' }, 0);
    await bench.bus.sendWork({ kind: 'dead-man', task: move.id, phase: 'transfer', token: 1 }, 0);
    await bench.deliver();
    await sweepRows(bench.services, soon);
    await setAside(bench.services, { task: move.id, phase: 'transfer' }, failure, 'worker');
    expect(await bench.move()).toEqual(move);
    expect(bench.calls).toEqual([]);
    expect((await bench.services.views.due(began + 600_000, 10)).items).toContainEqual({
      kind: 'move',
      id: move.id,
    });
  });

  test('is not let go by the dispatcher, and stands in the way of no other', async () => {
    const [move, other] = [elsewise(states.waiting), moveOf(2, 'clinic', states.waiting)];
    const bench = await benchWith(move, other);
    await dispatchMoves(bench.services, [{}], soon);
    expect(await bench.move()).toEqual(move);
    const letGo = await bench.services.store.load('move', { id: other.id });
    expect(letGo?.execution.status.state).toBe('running');
  });

  test('takes no room, counts against no pace, and hides nothing behind it', async () => {
    const ways = { source: 'a', target: 'c' };
    const urgent = Array.from({ length: 60 }, (_, nth) => ({
      ...elsewise(states.waiting, nth + 10),
      priority: priorities.failure,
    }));
    const going = moveOf(1, 'shop', states.waiting, ways);
    const mine = moveOf(100, 'clinic', states.waiting);
    const bench = await benchWith(...urgent, going);
    const { store } = bench.services;
    await bench.addHost('c');
    // The only room there is, is taken by what has just begun.
    for (const name of ['a', 'b', 'c']) {
      const host = await store.load('host', { name: hostName(name) });
      if (host !== undefined) await store.commit('host', host, { ...host, movesOut: 1, movesIn: 1 });
    }
    await dispatchMoves(bench.services, [{}], soon);
    expect((await bench.move()).execution.status.state).toBe('running');
    expect((await store.load('pace', {}))?.starts).toBe(1);
    await store.insert('move', mine);
    await dispatchMoves(bench.services, [{}], soon);
    expect((await bench.move()).execution.status.state).toBe('running');
    const [host] = await store.loadMany('host', [{ name: hostName('b') }]);
    expect(host?.permitsIn).toEqual([]);
    await bench.services.permits.giveBack(hostName('a'), 'out', going.id);
    await dispatchMoves(bench.services, [{}], soon);
    expect((await store.load('move', mine))?.execution.status.state).toBe('running');
  });

  test('is passed over by the sweep, which looks at as many more behind it', async () => {
    const bench = await benchWith();
    const { store } = bench.services;
    for (let nth = 0; nth < 520; nth += 1) await store.insert('move', elsewise(warming, nth + 10));
    const strange: Row = { pk: 'ODD#1', sk: 'ODD', kind: 'odd', shard: '00', dueAt: 1 };
    await bench.table.write(strange, () => strange);
    const mine = moveOf(1, 'shop', { ...warming, step: 'copy', dueAt: began + 1_000_000 });
    await store.insert('move', mine);
    bench.clock.pass(began + 2_000_000 - bench.clock.now());
    const noted: unknown[] = [];
    const meter: Services['meter'] = { note: (...told) => void noted.push(told) };
    await sweepRows({ ...bench.services, meter }, soon);
    expect(bench.bus.sent.filter(({ text }) => text.includes(mine.id))).toHaveLength(1);
    expect(noted).toContainEqual(['RowsSwept', 2]);
    // It stops looking once half of its time is over.
    bench.bus.sent.splice(0);
    let leftMs = 60_000;
    await sweepRows(bench.services, { remainingMs: () => (leftMs -= 100) });
    expect(bench.bus.sent.filter(({ text }) => text.includes(mine.id))).toEqual([]);
  });

  test('refuses what people say of it, and says why', async () => {
    const move = elsewise(warming);
    const bench = await benchWith(move);
    const desk = new CommandDesk(bench);
    for (const verb of ['cancel', 'retry', 'hold', 'reverse']) {
      const outcome = await desk.command({ verb, move: move.id });
      expect({ verb, outcome }).toMatchObject({
        outcome: { kind: 'refused', failure: { code: 'workflow-unknown' } },
      });
    }
    expect(await bench.move()).toEqual(move);
    expect(explainMove(move).sentence).toContain('has begun by the workflow move-endpoint/2');
    expect(explainMove(elsewise({ state: 'completed', endedAt: 1 })).sentence).toContain('moved');
  });
});
