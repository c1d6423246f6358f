import { describe, expect, test } from '@jest/globals';
import { blockersOf } from '../../shared/domain/blockers.ts';
import { explainBatch } from '../../shared/domain/explain-batch.ts';
import { explainMove } from '../../shared/domain/explain.ts';
import type { Host } from '../../shared/domain/host.ts';
import { batchId, moveId, type HostName, type MoveId } from '../../shared/domain/ids.ts';
import { limitsSeen } from '../../shared/domain/limit-waits.ts';
import { freshPace } from '../../shared/domain/pace.ts';
import { Rooms, type Limits } from '../../shared/domain/rooms.ts';
import { etaOfBatch } from '../../shared/workflow/explain/eta-of-batch.ts';
import { frameOf } from '../../cli/render-batch.ts';
import { paint, type Text } from '../../cli/text.ts';
import { arrived, batchOf, began, hostOf, moveOf, states } from '../support/sample-batch.ts';

const plain = (text: Text): string => paint(text, false);
const busy: readonly MoveId[] = [moveId('mv_00000000000000a1')];
const plenty: Limits = { inAll: 9, inZone: () => 9, ofBatch: 9 };
/** `a` and `b` have permits left; one move is under way on `a`. */
const hosts: readonly Host[] = [
  hostOf('a', { permitsOut: busy, zone: 'east' }),
  hostOf('b', { zone: 'west' }),
];
const named: ReadonlyMap<HostName, Host> = new Map(hosts.map((host) => [host.name, host]));
const waiting = moveOf(1, 'shop', states.waiting);

function waitOf(limits: Partial<Limits>, startsLeft = 1) {
  const rooms = new Rooms(hosts, { ...plenty, ...limits });
  const [first] = busy;
  if (first !== undefined) rooms.belongs(first, waiting.batch);
  const pace = { ...freshPace, minute: began, starts: 10 };
  const limitOf = limitsSeen(rooms, 10 + startsLeft, began + 1_000, pace);
  const [blocker] = blockersOf([waiting], named, undefined, limitOf);
  const { sentence } = explainMove(waiting, named, { limitOf });
  expect(sentence).toBe(`waits for ${String(blocker?.on)}`);
  return [blocker?.code, blocker?.on];
}

describe('a move that waits while its hosts have permits', () => {
  test('says at which limit', () => {
    expect(waitOf({ inAll: 1 })).toEqual([
      'limit-all',
      'another move to end, wherever: 1 of 1 moves under way in all',
    ]);
    expect(waitOf({ inZone: (zone) => (zone === 'east' ? 1 : 9) })).toEqual([
      'limit-zone',
      'another move from or to zone east to end: 1 of 1 moves under way there',
    ]);
    expect(waitOf({ ofBatch: 1 })).toEqual([
      'limit-batch',
      `another move of batch ${waiting.batch} to end: 1 of 1 moves under way of it`,
    ]);
    expect(waitOf({}, 0)).toEqual([
      'limit-starts',
      'the minute that begins at 2026-11-21T09:01:00.000Z: 10 moves have begun in this one',
    ]);
    expect(waitOf({})).toEqual(['permit', 'permits that are about to be given out']);
  });

  test('names its host first where that is full', () => {
    const full = new Map(
      [...named].map(([name, host]) => [name, name === waiting.source ? { ...host, movesOut: 1 } : host]),
    );
    const limitOf = limitsSeen(new Rooms(hosts, { ...plenty, inAll: 1 }), 10, began);
    expect(blockersOf([waiting], full, undefined, limitOf)).toMatchObject([{ on: 'a permit out of a' }]);
  });

  test('is ranked with the others of its batch', () => {
    const limitOf = limitsSeen(new Rooms(hosts, { ...plenty, inAll: 1 }), 10, began);
    const moves = [waiting, moveOf(2, 'crm', states.waiting), moveOf(3, 'blog', states.rolledBack)];
    const { blockers } = explainBatch(batchOf(), moves, named, began, { fleet: {}, limitOf });
    expect(blockers).toMatchObject([{ code: 'limit-all', moves: 2 }, { code: 'no-space' }]);
  });
});

describe('a pause of everything', () => {
  const paused = { by: '/ops', at: began, reason: 'backups' };
  const done = moveOf(3, 'done', states.completed, { results: arrived(1, 10) });
  const measured = { ...done, execution: { ...done.execution, timings: { copy: 1_000 } } };
  const snapshot = {
    at: began,
    batch: batchOf({ id: batchId('bt_0123456789abcdef0123'), total: 3 }),
    moves: [waiting, moveOf(2, 'crm', states.running('copy')), measured],
    hosts: named,
  };

  test('is what a watched batch waits for, and no end of it is foretold', () => {
    const held = { ...snapshot, said: { fleet: { paused } } };
    const text = frameOf(held, { columns: 120, rows: 30 }).map(plain).join('\n');
    expect(text).toContain('1 waits for the end of the pause of everything, paused by /ops');
    expect(etaOfBatch(held)).toBeUndefined();
    const free = { ...snapshot, said: { fleet: {} } };
    expect(frameOf(free, { columns: 120, rows: 30 }).map(plain).join('\n')).not.toContain(
      'pause of everything',
    );
    expect(etaOfBatch(free)).toBeDefined();
  });
});
