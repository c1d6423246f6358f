import { describe, expect, test } from '@jest/globals';
import { hostName } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { MoveBench } from '../support/move-bench.ts';
import { moveOf, states } from '../support/sample-batch.ts';

const soon = { remainingMs: () => 60_000 };

/** Waiting moves in this order, by source and target. */
async function waiting(bench: MoveBench, ...ways: readonly (readonly [string, string])[]): Promise<Move[]> {
  const moves = ways.map(([source, target], index) => ({
    ...moveOf(index + 1, `tenant-${String(index)}`, states.waiting, { source, target }),
    createdAt: index,
  }));
  for (const move of moves) await bench.services.store.insert('move', move);
  return moves;
}

async function statesOf({ services }: MoveBench, moves: readonly Move[]): Promise<(string | undefined)[]> {
  const found = await services.store.loadMany('move', moves);
  return found.map((move) => move?.execution.status.state);
}

describe('the dispatcher', () => {
  test('admits moves while both their hosts have permits, in their order', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 3 });
    await bench.addHost('b', { movesIn: 2 });
    const moves = await waiting(bench, ['a', 'b'], ['a', 'b'], ['a', 'b']);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['running', 'running', 'waiting']);
    expect(bench.bus.sent.map(({ queue }) => queue)).toEqual(['transfer', 'transfer']);
  });

  test('lets moves that wait for a full host hold up no others', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 1 });
    await bench.addHost('full', { movesIn: 0 });
    await bench.addHost('c');
    const moves = await waiting(bench, ['a', 'full'], ['a', 'full'], ['a', 'c']);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['waiting', 'waiting', 'running']);
  });

  test('lets nothing begin onto a host that has failed, also what holds a permit there', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 3 });
    await bench.addHost('b', { signals: { disk: { kind: 'failed', since: 1, at: 1 } } });
    await bench.addHost('c', { signals: { disk: { kind: 'strained', since: 1, at: 1 } } });
    const moves = await waiting(bench, ['a', 'b'], ['a', 'c']);
    const [held] = moves;
    if (held === undefined) throw new Error('two moves wait');
    await bench.services.permits.take(hostName('b'), 'in', held.id, 1);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['waiting', 'running']);
  });

  test('admits no move to where it does not go any more, whatever the index says', async () => {
    const bench = new MoveBench();
    for (const name of ['a', 'b', 'former']) await bench.addHost(name);
    const moves = await waiting(bench, ['a', 'b']);
    const { views, store } = bench.services;
    const services = {
      ...bench.services,
      views: {
        ...views,
        waiting: async (...asked: Parameters<typeof views.waiting>) =>
          (await views.waiting(...asked)).map((move) => ({ ...move, target: hostName('former') })),
      },
    };
    await dispatchMoves(services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['waiting']);
    expect((await store.load('host', { name: hostName('former') }))?.permitsIn).toEqual([]);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['running']);
  });

  test('lets a move that was given one permit and lost the race for the other keep the one', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 1 });
    await bench.addHost('b', { movesIn: 1 });
    const [move, other] = await waiting(bench, ['a', 'b'], ['x', 'b']);
    if (move === undefined || other === undefined) throw new Error('two moves wait');
    const { permits, store } = bench.services;
    const services = {
      ...bench.services,
      permits: {
        ...permits,
        // Somebody is quicker, just after the hosts were looked at.
        take: async (...asked: Parameters<typeof permits.take>) => {
          if (asked[1] === 'in') await permits.take(hostName('b'), 'in', other.id, 1);
          return await permits.take(...asked);
        },
      },
    };
    await dispatchMoves(services, [], soon);
    expect((await store.load('host', { name: hostName('a') }))?.permitsOut).toEqual([move.id]);
    expect(await statesOf(bench, [move])).toEqual(['waiting']);
  });
});
