import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StepFailure } from '../../shared/domain/failure.ts';
import type { HostName, MoveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Permits, Store } from '../../shared/ports/store.ts';
import { anyHostName, anyMoveId } from '../support/arbitraries.ts';
import { sample, sampleOf } from '../support/samples.ts';
import { subjects, type TablePorts } from '../support/store-subjects.ts';

describe.each(subjects)('permits on $name', ({ open, runs }) => {
  let ports: TablePorts;
  let store: Store;
  let permits: Permits;
  beforeAll(async () => {
    ports = await open();
    ({ store, permits } = ports);
  });
  afterAll(async () => {
    await ports.close();
  });

  async function freshHost(): Promise<HostName> {
    const host = { ...sample('host'), permitsIn: [], permitsOut: [], reserved: {} };
    await store.insert('host', host);
    return host.name;
  }
  const moves = (count: number): MoveId[] => Array.from({ length: count }, () => sampleOf(anyMoveId));

  test('are never more than the limit, whoever asks at once and however often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.uniqueArray(anyMoveId, { minLength: 1, maxLength: 6 }),
        async (limit, asking) => {
          const name = await freshHost();
          const asked = [...asking, ...asking];
          const answers = await Promise.all(
            asked.map(async (move) => await permits.take(name, 'out', move, limit)),
          );
          const holders = new Set(asked.filter((_, index) => answers[index]));
          expect(holders.size).toBe(Math.min(limit, asking.length));
          expect((await store.load('host', { name }))?.permitsOut).toEqual([...holders].sort());
        },
      ),
      { numRuns: runs },
    );
  });

  test('of one side are not those of the other', async () => {
    const name = await freshHost();
    const [one, other] = moves(2);
    if (one === undefined || other === undefined) throw new RangeError('no moves');
    expect(await permits.take(name, 'out', one, 1)).toBe(true);
    expect(await permits.take(name, 'in', other, 1)).toBe(true);
    expect(await permits.take(name, 'in', one, 1)).toBe(false);
    expect(await store.load('host', { name })).toMatchObject({ permitsOut: [one], permitsIn: [other] });
  });

  test('of a move that waits again are given back with the commit that says so, or not at all', async () => {
    const move: Move = { ...sample('move'), source: await freshHost(), target: await freshHost() };
    await store.insert('move', move);
    await permits.take(move.source, 'out', move.id, 1);
    await permits.take(move.target, 'in', move.id, 1);
    const held = async (): Promise<readonly MoveId[]> => {
      const [source, target] = await store.loadMany('host', [{ name: move.source }, { name: move.target }]);
      return [...(source?.permitsOut ?? []), ...(target?.permitsIn ?? [])];
    };
    const stale = { ...move, version: 2 };
    expect(await permits.setBack(stale, { ...stale, why: 'late' })).toEqual({ kind: 'conflict' });
    expect(await held()).toEqual([move.id, move.id]);
    const waits = { ...move, why: 'waits again' };
    const before = { ...move, version: 1 };
    expect(await permits.setBack(before, waits)).toEqual({
      kind: 'committed',
      record: { ...waits, version: 2 },
    });
    expect(await held()).toEqual([]);
    expect(await store.load('move', move)).toEqual({ ...waits, version: 2 });
  });

  test('stay with their holder when the limit falls, and none is given with a limit of zero', async () => {
    const name = await freshHost();
    const [one, other] = moves(2);
    if (one === undefined || other === undefined) throw new RangeError('no moves');
    expect(await permits.take(name, 'in', one, 0)).toBe(false);
    expect(await permits.take(name, 'in', one, 3)).toBe(true);
    expect(await permits.take(name, 'in', one, 0)).toBe(true);
    expect(await permits.take(name, 'in', other, 1)).toBe(false);
  });

  test('given back twice are free once, and then for the next', async () => {
    const name = await freshHost();
    const [one, other] = moves(2);
    if (one === undefined || other === undefined) throw new RangeError('no moves');
    await permits.take(name, 'out', one, 1);
    await permits.giveBack(name, 'out', one);
    await permits.giveBack(name, 'out', one);
    expect((await store.load('host', { name }))?.permitsOut).toEqual([]);
    expect(await permits.take(name, 'out', other, 1)).toBe(true);
  });

  test('and reservations leave the version of the host alone, and survive a commit from an older reading', async () => {
    const name = await freshHost();
    const [one, other] = moves(2);
    if (one === undefined || other === undefined) throw new RangeError('no moves');
    const before = await store.load('host', { name });
    if (before === undefined) throw new RangeError('no host');
    await permits.take(name, 'in', one, 2);
    await permits.reserve(name, one, 500);
    await permits.reserve(name, other, 70);
    await permits.reserve(name, one, 900);
    expect(await store.commit('host', before, { ...before, zone: 'elsewhere' })).toMatchObject({
      kind: 'committed',
    });
    expect(await store.load('host', { name })).toMatchObject({
      version: 2,
      zone: 'elsewhere',
      permitsIn: [one],
      reserved: { [one]: 900, [other]: 70 },
    });
    await permits.unreserve(name, one);
    await permits.unreserve(name, one);
    expect((await store.load('host', { name }))?.reserved).toEqual({ [other]: 70 });
  });

  test('of a target go back with the space, and what others hold of it stays', async () => {
    const name = await freshHost();
    const [one, other] = moves(2);
    if (one === undefined || other === undefined) throw new RangeError('no moves');
    for (const move of [one, other]) {
      await permits.take(name, 'in', move, 2);
      await permits.reserve(name, move, 70);
    }
    await permits.take(name, 'out', one, 1);
    await permits.vacate(name, one);
    await permits.vacate(name, one);
    expect(await store.load('host', { name })).toMatchObject({
      version: 1,
      permitsOut: [one],
      permitsIn: [other],
      reserved: { [other]: 70 },
    });
    await permits.vacate(name, other);
    expect(await store.load('host', { name })).toMatchObject({ permitsIn: [], reserved: {} });
  });

  test('of a host that is not there are refused by name, and giving them back is no fault', async () => {
    const name = sampleOf(anyHostName);
    const move = sampleOf(anyMoveId);
    await expect(permits.take(name, 'out', move, 1)).rejects.toThrow(StepFailure);
    await expect(permits.reserve(name, move, 1)).rejects.toThrow(/host-unknown/);
    await permits.giveBack(name, 'out', move);
    await permits.unreserve(name, move);
    await permits.vacate(name, move);
    expect(await store.load('host', { name })).toBeUndefined();
  });
});
