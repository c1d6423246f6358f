import { describe, expect, it } from '@jest/globals';
import { blockersOf } from '../../shared/domain/blockers.ts';
import { explainBatch } from '../../shared/domain/explain-batch.ts';
import { explainEndpoint } from '../../shared/domain/explain-endpoint.ts';
import { explainMove } from '../../shared/domain/explain.ts';
import { explainHost } from '../../shared/domain/explain-host.ts';
import { endpointName, hostName, moveId, type HostName } from '../../shared/domain/ids.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { arrived, batchOf, began, failure, hostOf, moveOf, states } from '../support/sample-batch.ts';

const busy = [moveId('mv_00000000000000a1'), moveId('mv_00000000000000a2')];
const fleet = (...hosts: readonly Host[]): ReadonlyMap<HostName, Host> =>
  new Map(hosts.map((host) => [host.name, host]));

describe('blockers', () => {
  it('are ranked by how many moves they keep', () => {
    const moves = [
      ...[1, 2, 3].map((nth) => moveOf(nth, `w-${String(nth)}`, states.waiting, { target: 'h7' })),
      moveOf(4, 'x', states.hindered('copy')),
      moveOf(5, 'y', states.rolledBack),
      moveOf(6, 'z', states.rolledBack),
      moveOf(7, 'fine', states.running('copy')),
      moveOf(8, 'done', states.completed, { results: arrived(1, 1) }),
    ];
    const found = blockersOf(moves, fleet(hostOf('a'), hostOf('h7', { permitsIn: busy })));
    expect(found.map(({ kind, on, moves: figure }) => [figure, kind, on])).toEqual([
      [3, 'waiting', 'a permit into h7'],
      [2, 'ended', 'b has too little room'],
      [1, 'failing', 'a does not answer'],
    ]);
    expect(found[0]?.examples).toHaveLength(3);
    expect(found[0]?.since).toBe(began);
    expect(found[1]?.cure).toBe(failure.cure);
  });

  it('name both hosts when both are full, and none when there are permits to be had', () => {
    const moves = [moveOf(1, 'w', states.waiting)];
    const both = fleet(hostOf('a', { permitsOut: busy }), hostOf('b', { permitsIn: busy }));
    expect(blockersOf(moves, both)[0]?.on).toBe('a permit out of a and into b');
    expect(blockersOf(moves, fleet(hostOf('a'), hostOf('b')))[0]?.on).toBe(
      'permits that are about to be given out',
    );
    expect(blockersOf(moves, new Map())[0]?.on).toBe('permits on a and b');
  });
});

describe('explain', () => {
  it('says of a move that was rolled back why, and what to do', () => {
    const { sentence, since, actions } = explainMove(moveOf(1, 'shop', states.rolledBack));
    expect(sentence).toBe('rolled back: b has too little room (no-space); make room on b');
    expect(since).toBe(began + 5_000);
    expect(actions).toEqual(['make room on b', 'dray move shop --to b']);
  });

  it('asks for a target where the planner found none', () => {
    const { actions } = explainMove(moveOf(1, 'shop', states.rolledBack, { target: 'a' }));
    expect(actions).toContain('dray move shop --to <host>');
  });

  it('says of every state something, and never leaves trouble without an action', () => {
    for (const status of [
      states.waiting,
      states.running('copy'),
      states.hindered('copy'),
      states.rollingBack('copy'),
      states.rolledBack,
      states.stuck,
    ]) {
      const { sentence, actions } = explainMove(moveOf(1, 'shop', status));
      expect(sentence).not.toBe('');
      expect(actions.length).toBeGreaterThan(0);
    }
    expect(explainMove(moveOf(1, 'shop', states.completed)).sentence).toContain('retired');
  });

  it('sums a batch up, with endpoints that nobody knows', () => {
    const batch = batchOf({
      state: 'completed',
      total: 2,
      endedAt: began + 9_000,
      unknown: { count: 2, examples: [endpointName('ghost')] },
    });
    const moves = [
      moveOf(1, 'shop', states.completed, { results: arrived(1, 1) }),
      moveOf(2, 'mail', states.rolledBack),
    ];
    const { sentence, blockers, actions } = explainBatch(batch, moves);
    expect(sentence).toBe('completed: 1 of 2 moved, 1 not');
    expect(blockers.map(({ code }) => code)).toEqual(['no-space', 'endpoint-unknown']);
    expect(actions).toEqual(['dray explain mv_0000000000000002']);
  });

  it('tells what a host is wanted for, how it is, and what it has no more of', () => {
    const host = hostOf('a', {
      intent: { value: 'draining', sequence: 1, reason: 'disk' },
      signals: { 'disk-failing': { kind: 'failed', since: began, at: began } },
      permitsOut: busy,
      capacityBytes: 1_000,
    });
    const { sentence, blockers } = explainHost(host, { bytes: 950, endpoints: 3 });
    expect(sentence).toBe(
      'draining (disk), unwell (disk-failing); holds 3 endpoints; permits out 2/2, in 0/2',
    );
    expect(blockers.map(({ code, on }) => [code, on])).toEqual([
      ['disk-failing', 'a: disk-failing'],
      ['permit', 'a permit out of a'],
      ['no-space', 'space on a'],
    ]);
  });

  it('says of what is late by how much, and only while something is left to do', () => {
    const intent = { value: 'draining', sequence: 1, reason: 'disk', deadline: began } as const;
    const late = (endpoints: number) =>
      explainHost(hostOf('a', { intent }), { bytes: 0, endpoints }, began + 600_000);
    expect(late(3)).toMatchObject({
      sentence: expect.stringContaining('draining (disk, due by 2026-11-21 09:00:00 UTC)'),
      blockers: [{ code: 'overdue', moves: 3, since: began, on: expect.stringContaining('10 min late') }],
    });
    expect(late(0).blockers).toEqual([]);
    const batch = batchOf({ total: 2, deadline: began });
    const moves = [moveOf(1, 'shop', states.completed), moveOf(2, 'mail', states.waiting)];
    expect(explainBatch(batch, moves, new Map(), began + 1).blockers[0]).toMatchObject({
      code: 'overdue',
      moves: 1,
    });
    expect(explainBatch(batch, moves, new Map(), began).blockers[0]?.code).toBe('permit');
    expect(
      explainBatch({ ...batch, state: 'completed' }, moves, new Map(), began + 1).sentence,
    ).not.toContain('due by');
  });

  it('tells of an endpoint the move that has it, and afterwards the last one', () => {
    const move = moveOf(1, 'shop', states.hindered('copy'));
    const placement: Placement = {
      endpoint: endpointName('shop'),
      driver: 'postgres',
      host: hostName('a'),
      database: 'shop',
      epoch: 3,
      arbitration: { kind: 'serving' },
      claim: { move: move.id, firstToken: 1 },
      claims: 1,
      announcedEpoch: 3,
      sizeBytes: 1,
      labels: {},
      registeredAt: began,
      version: 1,
    };
    expect(explainEndpoint(placement, move).sentence).toBe(
      `is on a (database shop, epoch 3) and serves; ${move.id} moves it from a to b: copy: a does not answer`,
    );
    const { claim: _, ...free } = placement;
    const later = explainEndpoint(free, moveOf(1, 'shop', states.rolledBack));
    expect(later.sentence).toContain(`its last move was ${move.id}, from a to b: rolled back`);
    expect(later.blockers).toHaveLength(1);
    expect(explainEndpoint(free, undefined).actions).toEqual(['dray move shop --to <host>']);
  });
});
