import { describe, expect, test } from '@jest/globals';
import { freshFleet, knobDefaults } from '../../shared/domain/fleet.ts';
import { batchId, hostName } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { priorities } from '../../shared/domain/priority.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { Dice } from '../support/dice.ts';
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

  test('gives no more permits than a spared host has for the time being', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 3, throttle: { out: 1, in: 3 } });
    await bench.addHost('b');
    const moves = await waiting(bench, ['a', 'b'], ['a', 'b']);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['running', 'waiting']);
  });

  test.each([
    ['in all', { movesInAll: 2 }],
    ['in a zone', { movesPerZone: 2 }],
    ['of a batch', { movesPerBatch: 2 }],
    ['in a minute', { startsPerMinute: 2 }],
  ])('lets no more moves go at once %s than the knobs say', async (_, knobs) => {
    const bench = new MoveBench();
    const { store } = bench.services;
    await store.insert('fleet', { ...freshFleet, knobs: { ...knobDefaults, ...knobs } });
    await bench.addHost('a', { movesOut: 9 });
    await bench.addHost('b', { movesIn: 9 });
    const moves = await waiting(bench, ['a', 'b'], ['a', 'b'], ['a', 'b']);
    for (let look = 0; look < 3; look += 1) await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['running', 'running', 'waiting']);
  });

  test('lets nothing go while everything is paused, and raises no alarm about it', async () => {
    const bench = new MoveBench();
    const paused = { by: 'anna', at: 0, reason: 'a storm' };
    await bench.services.store.insert('fleet', { ...freshFleet, paused });
    await bench.addHost('a');
    await bench.addHost('b');
    const moves = await waiting(bench, ['a', 'b']);
    const noted: string[] = [];
    const meter = { note: (metric: string) => noted.push(metric) };
    await dispatchMoves({ ...bench.services, meter }, [], soon);
    expect([await statesOf(bench, moves), noted]).toEqual([['waiting'], []]);
  });

  test('tells how many wait for permits, and how long the oldest has, in all, by host and by zone', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 1, zone: 'z1' });
    await bench.addHost('b', { zone: 'z2' });
    await waiting(bench, ['a', 'b'], ['a', 'b'], ['a', 'b']);
    const now = bench.clock.now();
    const noted: unknown[] = [];
    const meter = { note: (...told: readonly unknown[]) => noted.push(told) };
    await dispatchMoves({ ...bench.services, meter }, [], soon);
    expect(noted.slice(0, 7)).toEqual([
      ['MovesWaiting', 2],
      ['MovesAdmitted', 1],
      ['OldestAdmissibleMs', now - 1],
      ['OldestAdmissibleMs', now - 1, { host: 'a' }],
      ['OldestAdmissibleMs', now - 1, { host: 'b' }],
      ['OldestAdmissibleMs', now - 1, { zone: 'z1' }],
      ['OldestAdmissibleMs', now - 1, { zone: 'z2' }],
    ]);
  });

  test('goes on with the next minute when no more may begin in this one', async () => {
    const bench = new MoveBench();
    const knobs = { ...knobDefaults, startsPerMinute: 1 };
    await bench.services.store.insert('fleet', { ...freshFleet, knobs });
    await bench.addHost('a', { movesOut: 9 });
    await bench.addHost('b', { movesIn: 9 });
    const moves = await waiting(bench, ['a', 'b'], ['a', 'b']);
    await dispatchMoves(bench.services, [], soon);
    bench.bus.sent.splice(0);
    await dispatchMoves(bench.services, [], soon);
    expect(bench.bus.sent).toMatchObject([{ queue: 'dispatch', at: bench.clock.now() + 60_000 }]);
    bench.clock.pass(60_000);
    await dispatchMoves(bench.services, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['running', 'running']);
  });

  test('looks again when another dispatcher has gone first, and never lets go more than there is room for', async () => {
    const bench = new MoveBench();
    const { store } = bench.services;
    await store.insert('fleet', { ...freshFleet, knobs: { ...knobDefaults, movesInAll: 3 } });
    for (const name of ['a', 'b', 'c', 'd']) await bench.addHost(name, { movesOut: 9, movesIn: 9 });
    const moves = await waiting(
      bench,
      ['a', 'b'],
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
      ['a', 'd'],
      ['c', 'b'],
    );
    await Promise.all([1, 2, 3].map(() => dispatchMoves(bench.services, [], soon)));
    const states = await statesOf(bench, moves);
    expect(states.filter((state) => state === 'running')).toHaveLength(3);
  });

  test('keeps in mind what another look has chosen and not taken yet', async () => {
    const bench = new MoveBench();
    const { store, permits } = bench.services;
    await store.insert('fleet', { ...freshFleet, knobs: { ...knobDefaults, movesInAll: 1 } });
    for (const name of ['a', 'b', 'c', 'd']) await bench.addHost(name);
    const moves = await waiting(bench, ['a', 'b'], ['c', 'd']);
    const stopped = {
      ...bench.services,
      permits: { ...permits, take: () => Promise.reject(new Error('stopped here')) },
    };
    await expect(dispatchMoves(stopped, [], soon)).rejects.toThrow('stopped here');
    // Of the index it is the other's turn.
    const { views } = bench.services;
    const others = {
      ...views,
      waiting: async (...asked: Parameters<typeof views.waiting>) =>
        (await views.waiting(...asked)).filter(({ id }) => id !== chosen?.id),
    };
    const chosen = (await store.load('pace', {}))?.granted[0];
    await dispatchMoves({ ...bench.services, views: others }, [], soon);
    expect(await statesOf(bench, moves)).toEqual(['waiting', 'waiting']);
    bench.clock.pass(60_000);
    await dispatchMoves(bench.services, [], soon);
    expect((await statesOf(bench, moves)).sort()).toEqual(['running', 'waiting']);
  });

  test('lets batches take turns where only one move can go at a time', async () => {
    const bench = new MoveBench();
    const { store, permits } = bench.services;
    await bench.addHost('a', { movesOut: 1 });
    await bench.addHost('b', { movesIn: 1 });
    const small = batchId('bt_00000000000000000005');
    const moves = Array.from({ length: 40 }, (_, nth): Move => ({
      ...moveOf(nth + 1, `tenant-${String(nth)}`, states.waiting),
      createdAt: nth,
      ...(nth >= 35 ? { batch: small } : {}),
    }));
    for (const move of moves) await store.insert('move', move);
    const dice = new Dice(5);
    const services = {
      ...bench.services,
      chance: { ...bench.services.chance, fraction: () => dice.fraction() },
    };
    const turns: string[] = [];
    for (const _ of moves) {
      await dispatchMoves(services, [], soon);
      const held = (await store.load('host', { name: hostName('a') }))?.permitsOut[0];
      const move = held === undefined ? undefined : await store.load('move', { id: held });
      if (move === undefined) throw new Error('nobody was let go');
      turns.push(move.batch === small ? 'small' : 'large');
      await store.commit('move', move, {
        ...move,
        execution: { ...move.execution, status: states.rolledBack },
      });
      await permits.giveBack(move.source, 'out', move.id);
      await permits.giveBack(move.target, 'in', move.id);
      bench.clock.pass(1_000);
    }
    expect(turns.lastIndexOf('small')).toBeLessThan(20);
    expect(turns.slice(0, 10)).toContain('large');
  });

  test('lets every lane go that has room, however many moves wait in those that have none', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { movesOut: 2 });
    await bench.addHost('full', { movesIn: 0 });
    await bench.addHost('shut', { movesOut: 0 });
    await bench.addHost('c');
    const blocked = Array.from({ length: 150 }, () => ['a', 'full'] as const);
    const elsewhere = Array.from({ length: 150 }, () => ['shut', 'c'] as const);
    const moves = await waiting(bench, ...blocked, ...elsewhere, ['a', 'c']);
    await dispatchMoves(bench.services, [], soon);
    expect((await statesOf(bench, moves)).lastIndexOf('running')).toBe(300);
  });

  describe('for a move off a failed host', () => {
    async function crowded(step: string): Promise<{ bench: MoveBench; moves: Move[] }> {
      const bench = new MoveBench();
      const { store, permits } = bench.services;
      await bench.addHost('a', { movesOut: 1 });
      await bench.addHost('b', { movesIn: 1 });
      const [first] = await waiting(bench, ['a', 'b']);
      if (first === undefined) throw new Error('one move waits');
      await dispatchMoves(bench.services, [], soon);
      const begun = await store.load('move', first);
      if (begun?.execution.status.state !== 'running') throw new Error('it was let go');
      const status = { ...begun.execution.status, step };
      await store.commit('move', begun, { ...begun, execution: { ...begun.execution, status } });
      const urgent = { ...moveOf(9, 'urgent', states.waiting), priority: priorities.failure };
      await store.insert('move', urgent);
      expect(await permits.take(hostName('a'), 'out', urgent.id, 1)).toBe(false);
      return { bench, moves: [first, urgent] };
    }

    test.each(['preflight', 'reserve'])(
      'sets back what has not begun and is less urgent (in %s)',
      async (step) => {
        const { bench, moves } = await crowded(step);
        await dispatchMoves(bench.services, [], soon);
        expect(await statesOf(bench, moves)).toEqual(['waiting', 'running']);
        const [first] = await bench.services.store.loadMany('move', moves);
        expect(first?.execution.status).toMatchObject({
          waiting: { code: 'permit', on: expect.stringContaining(String(moves[1]?.id)) },
        });
        const hosts = await bench.services.store.loadMany('host', [
          { name: hostName('a') },
          { name: hostName('b') },
        ]);
        expect(hosts.map((host) => [...(host?.permitsOut ?? []), ...(host?.permitsIn ?? [])])).toEqual([
          [moves[1]?.id],
          [moves[1]?.id],
        ]);
        await dispatchMoves(bench.services, [], soon);
        expect(await statesOf(bench, moves)).toEqual(['waiting', 'running']);
      },
    );

    test.each(['provision', 'copy'])('leaves alone what has something on a host (in %s)', async (step) => {
      const { bench, moves } = await crowded(step);
      await dispatchMoves(bench.services, [], soon);
      expect(await statesOf(bench, moves)).toEqual(['running', 'waiting']);
    });

    test('leaves alone what a worker takes up at that very moment', async () => {
      const { bench, moves } = await crowded('preflight');
      const { store, permits } = bench.services;
      const services = {
        ...bench.services,
        permits: {
          ...permits,
          setBack: async (...asked: Parameters<typeof permits.setBack>) => {
            const [move] = asked;
            const now = await store.load('move', move);
            if (now === undefined) throw new Error('it is there');
            await store.commit('move', now, { ...now, execution: { ...now.execution, token: 5 } });
            return permits.setBack(...asked);
          },
        },
      };
      await dispatchMoves(services, [], soon);
      expect(await statesOf(bench, moves)).toEqual(['running', 'waiting']);
    });
  });
});
