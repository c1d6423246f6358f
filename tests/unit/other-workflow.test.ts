import { describe, expect, test } from '@jest/globals';
import { explainMove } from '../../shared/domain/explain.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import type { Move } from '../../shared/domain/move.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
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
    expect(await bench.services.views.due(began + 600_000, 10)).toContainEqual({
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
