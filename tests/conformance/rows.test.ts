import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codecs, definedOnly, toRow } from '../../shared/aws/layout.ts';
import { changeBetween } from '../../shared/aws/row-change.ts';
import { changeOf } from '../../shared/aws/stream.ts';
import { fromItem, toItem } from '../../shared/aws/wire.ts';
import { decodeHistory, encodeHistory } from '../../shared/contracts/rows/history.ts';
import { readWaitingEntry } from '../../shared/contracts/rows/move.ts';
import { shardOf, shards } from '../../shared/domain/shards.ts';
import { laneOf, pastLane, pastSource } from '../../shared/domain/waiting-order.ts';
import { leadOf } from '../../shared/domain/move-reasons.ts';
import { isStuckUntold, labelOf, type Move } from '../../shared/domain/move.ts';
import { RowUnreadable } from '../../shared/ports/failures.ts';
import type { RecordKind } from '../../shared/ports/store.ts';
import { anyMoveId, anyRecord, recordKinds } from '../support/arbitraries.ts';

describe.each(recordKinds)('a row of a %s', (kind) => {
  test('gives back exactly the record that went in, over the wire', () => {
    roundTrip(kind);
  });

  test('tells the key of its record by its own key', () => {
    keyTrip(kind);
  });

  test('of which an attribute is not what its contract says is refused, and the attribute named', () => {
    fc.assert(
      fc.property(anyRecord[kind], (record) => {
        const row = { ...definedOnly(toRow(kind, record)), colour: 'red', kind: 'another' };
        expect(() => codecs[kind].decode(row)).toThrow(RowUnreadable);
        expect(() => codecs[kind].decode(row)).toThrow(/attribute "kind"/);
      }),
      { numRuns: 10 },
    );
  });

  test('comes out of the stream as a change of its kind', () => {
    fc.assert(
      fc.property(anyRecord[kind], (record) => {
        const image = toItem(toRow(kind, record));
        expect(changeOf({ dynamodb: { NewImage: image } })).toEqual({ kind, after: record });
        expect(changeOf({ dynamodb: { OldImage: image } })).toEqual({ kind, before: record });
      }),
    );
  });
});

function roundTrip<K extends RecordKind>(kind: K): void {
  fc.assert(
    fc.property(anyRecord[kind], (record) => {
      expect(codecs[kind].decode(fromItem(toItem(codecs[kind].encode(record))))).toEqual(record);
    }),
    { numRuns: 300 },
  );
}

function keyTrip<K extends RecordKind>(kind: K): void {
  fc.assert(
    fc.property(anyRecord[kind], (record) => {
      const { pk, sk } = codecs[kind].encode(record);
      const key = codecs[kind].keyOf({ pk, sk });
      expect(codecs[kind].key(key)).toEqual({ pk, sk });
      expect(record).toMatchObject(key);
    }),
  );
}

test('two requests have one key only if they have one source and one id', () => {
  const pair = fc.tuple(
    fc.string({ unit: fc.constantFrom('a', '#') }),
    fc.string({ unit: fc.constantFrom('a', '#') }),
  );
  fc.assert(
    fc.property(pair, pair, ([source, id], [otherSource, otherId]) => {
      const [one, other] = [
        codecs.request.key({ source, id }),
        codecs.request.key({ source: otherSource, id: otherId }),
      ];
      expect(one.pk === other.pk && one.sk === other.sk).toBe(source === otherSource && id === otherId);
    }),
  );
});

describe('the index keys of a move', () => {
  test('sort what leaves one source together, of that the highest priority first, and of a lane the oldest', () => {
    fc.assert(
      fc.property(anyRecord.move, anyRecord.move, fc.boolean(), (one, another, isOneLane) => {
        const { source, batch, target } = one;
        const other = { ...another, source, ...(isOneLane ? { batch, target } : {}) };
        fc.pre(one.priority !== other.priority || (isOneLane && one.createdAt !== other.createdAt));
        fc.pre(Math.abs(one.priority) <= 1e9 && Math.abs(other.priority) <= 1e9);
        const first =
          one.priority !== other.priority ? one.priority > other.priority : one.createdAt < other.createdAt;
        expect(waitingOrder(one) < waitingOrder(other)).toBe(first);
      }),
    );
  });

  test('let a reader pass over a lane, or over a source, and miss nothing behind it', () => {
    fc.assert(
      fc.property(anyRecord.move, anyRecord.move, (one, other) => {
        const [mine, its] = [waitingOrder(one), waitingOrder(other)];
        for (const [past, isSame] of [
          [pastLane(mine), laneOf(mine) === laneOf(its)],
          [pastSource(mine), one.source === other.source],
        ] as const) {
          if (isSame) expect(its < past).toBe(true);
          else expect(its < past).toBe(its < mine);
        }
        expect(laneOf(mine) === laneOf(its)).toBe(
          one.source === other.source &&
            one.target === other.target &&
            one.batch === other.batch &&
            one.priority === other.priority,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('tell the dispatcher all that it needs', () => {
    fc.assert(
      fc.property(anyRecord.move, (move) => {
        fc.pre(Math.abs(move.priority) <= 1e9);
        const { batch, source, target, priority, createdAt } = move;
        const order = waitingOrder(move);
        const entry = { pk: 'p', sk: 's', batch, source, target, waitingOrder: order };
        // Of several batches that want it the one whose words count.
        const lead = leadOf(move);
        const { workflow } = move.execution;
        expect(readWaitingEntry(entry)).toEqual({
          batch: lead,
          source,
          target,
          priority,
          createdAt,
          workflow,
          order,
        });
        const earlier = `${order.split('#')[1] ?? ''}#${order.split('#')[4] ?? ''}#${move.id}`;
        expect(readWaitingEntry({ ...entry, waitingOrder: earlier })).toMatchObject({ priority, createdAt });
      }),
    );
  });

  test('are there exactly while the move is due and while it waits', () => {
    fc.assert(
      fc.property(anyRecord.move, (move) => {
        const row = codecs.move.encode(move);
        const { state } = move.execution.status;
        const isOver = ['completed', 'rolled-back', 'stuck'].includes(state);
        const { status } = move.execution;
        const isJoined = status.state === 'waiting' && status.carried !== undefined;
        const inLine = status.state === 'waiting' && status.putOff === undefined && !isJoined;
        expect(row['dueAt'] === undefined).toBe(inLine || isJoined || (isOver && !isStuckUntold(move)));
        expect(row['waitingOrder'] === undefined).toBe(!inLine);
        expect(row['labelAndEndpoint']).toBe(`${labelOf(move.execution)}#${move.endpoint}`);
      }),
    );
  });

  test('leave a worker its lease, and never more than a minute after it should have spoken', () => {
    fc.assert(
      fc.property(anyRecord.move, ({ execution, ...move }) => {
        const { status, last } = execution;
        fc.pre(status.state === 'running');
        const dueAt = Number(codecs.move.encode({ ...move, execution })['dueAt']);
        const silentSince = Math.max(status.dueAt, status.lease?.until ?? 0);
        expect(dueAt).toBeGreaterThanOrEqual(silentSince);
        expect(dueAt).toBeLessThanOrEqual(Math.max(silentSince, last.at) + 60_000);
      }),
    );
  });

  test('do not change when a lease is taken, let go or taken again for less soon after', () => {
    const move = running({ lease: undefined });
    const minute = 1_700_000_040_000;
    const dues = [
      running({ last: minute + 1_000, dueAt: minute + 900 }),
      running({ last: minute + 2_000, dueAt: minute + 900, lease: minute + 32_000 }),
      running({ last: minute + 9_000, dueAt: minute + 9_000 }),
      running({ last: minute + 10_000, dueAt: minute + 9_000, lease: minute + 15_000 }),
    ].map((each) => codecs.move.encode(each)['dueAt']);
    expect(new Set(dues)).toEqual(new Set([minute + 60_000]));
    expect(codecs.move.encode(move)['dueAt']).toBeDefined();
  });
});

test('shards are used evenly', () => {
  const ids = fc.sample(anyMoveId, { numRuns: 3_200, seed: 7 });
  const sizes = new Map(shards.map((shard) => [shard, 0]));
  for (const id of ids) sizes.set(shardOf(id), (sizes.get(shardOf(id)) ?? 0) + 1);
  expect(sizes.size).toBe(16);
  expect(Math.min(...sizes.values())).toBeGreaterThan(130);
  expect(Math.max(...sizes.values())).toBeLessThan(280);
});

test('a row of history gives back its entry', () => {
  const entry = {
    move: fc.sample(anyMoveId, 1)[0],
    version: 12,
    at: 1_700_000_000_000,
    by: 'worker',
    fact: 'step-finished',
    from: 'running',
    to: 'running',
    step: 'copy',
    ms: 12.5,
    expiresAt: 1_800_000_000,
  };
  if (entry.move === undefined) throw new RangeError('no sample');
  const row = encodeHistory({ ...entry, move: entry.move });
  expect(row.sk).toBe('HISTORY#00000012');
  expect(decodeHistory(fromItem(toItem(row)))).toEqual(entry);
  expect(changeOf({ dynamodb: { NewImage: toItem(row) } })).toBeUndefined();
});

describe('a commit', () => {
  test('writes what has changed and nothing else', () => {
    const before = running({ dueAt: 5 });
    const { set, remove } = changeBetween('move', before, { ...before, why: 'because', version: 2 }, 'c1');
    expect(set).toEqual([
      ['why', 'because'],
      ['version', 2],
      ['commitId', 'c1'],
    ]);
    expect(remove).toEqual([]);
  });

  test('never writes permits or reservations, which change without it', () => {
    fc.assert(
      fc.property(anyRecord.host, anyRecord.host, (before, other) => {
        const after = { ...before, ...other, name: before.name, version: before.version + 1 };
        const { set, remove } = changeBetween('host', before, after, 'c1');
        const names = [...set.map(([name]) => name), ...remove];
        expect(names.filter((name) => ['permitsOut', 'permitsIn', 'reserved'].includes(name))).toEqual([]);
      }),
    );
  });

  test('writes the counts of a batch that ends, also those that seem not to have changed', () => {
    const [sample] = fc.sample(anyRecord.batch, 1);
    if (sample === undefined) throw new RangeError('no sample');
    const before = { ...sample, state: 'running' as const, counts: { moved: 12 } };
    const { set, remove } = changeBetween(
      'batch',
      before,
      { ...before, state: 'completed', version: 2 },
      'c1',
    );
    expect(set).toContainEqual(['count_moved', 12]);
    expect(remove).toContain('count_waiting');
  });

  test('that would turn one row into another is refused', () => {
    fc.assert(
      fc.property(anyRecord.endpoint, anyRecord.endpoint, (one, other) => {
        fc.pre(one.endpoint !== other.endpoint);
        expect(() => changeBetween('endpoint', one, other, 'c1')).toThrow(RangeError);
      }),
    );
  });
});

function waitingOrder(move: Move): string {
  const waiting = { code: 'c', on: 'o', since: 0 };
  const order = codecs.move.encode({
    ...move,
    execution: { ...move.execution, status: { state: 'waiting', waiting, dueAt: 0 } },
  })['waitingOrder'];
  if (typeof order !== 'string') throw new RangeError('a waiting move has no order');
  return order;
}

function running(at: {
  readonly last?: number;
  readonly dueAt?: number;
  readonly lease?: number | undefined;
}): Move {
  const [sample] = fc.sample(anyRecord.move, { numRuns: 1, seed: 3 });
  if (sample === undefined) throw new RangeError('no sample');
  return {
    ...sample,
    version: 1,
    execution: {
      ...sample.execution,
      last: { fact: 'claimed', at: at.last ?? 0, by: 'worker' },
      status: {
        state: 'running',
        step: 'copy',
        failures: 0,
        idleHandovers: 0,
        deaths: 0,
        spentMs: 0,
        forwardOnly: false,
        retreats: 0,
        dueAt: at.dueAt ?? 0,
        ...(at.lease === undefined ? {} : { lease: { owner: 'worker', token: 1, until: at.lease } }),
      },
    },
  };
}
