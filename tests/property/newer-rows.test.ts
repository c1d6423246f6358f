import { describe, expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import * as z from 'zod';
import { codecs, toRow } from '../../shared/aws/layout.ts';
import { changeBetween, nextOf } from '../../shared/aws/row-change.ts';
import { fromItem, toItem } from '../../shared/aws/wire.ts';
import { decodeHistory } from '../../shared/contracts/rows/history.ts';
import { readRow } from '../../shared/contracts/rows/read-row.ts';
import type { Attribute, Row } from '../../shared/contracts/rows/row.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import { RowUnreadable } from '../../shared/ports/failures.ts';
import type { RecordKind, Records } from '../../shared/ports/store.ts';
import { anyMoveId, anyRecord, recordKinds } from '../support/arbitraries.ts';
import { failure, moveOf } from '../support/sample-batch.ts';

/** Maps whose names are free: nothing in them is unknown. */
const free = new Set(['labels', 'results', 'timings', 'signals', 'cleared', 'reserved', 'about', 'zones']);
const news: Arbitrary<Attribute> = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
  fc.record({ shade: fc.integer(), of: fc.array(fc.string()) }),
);

type Place = readonly (string | number)[];
interface Attributes {
  readonly [name: string]: Attribute | undefined;
}
const isList = (value: Attribute | undefined): value is readonly Attribute[] => Array.isArray(value);
const isMap = (value: Attribute | undefined): value is Attributes =>
  typeof value === 'object' && value !== null && !(value instanceof Set) && !isList(value);

/** Every map that a newer release could put something into, the row itself first. */
function placesIn(value: Attribute | undefined, at: Place = []): readonly Place[] {
  if (isList(value)) return value.flatMap((each, index) => placesIn(each, [...at, index]));
  if (!isMap(value)) return [];
  const own = free.has(String(at.at(-1))) ? [] : [at];
  return [...own, ...Object.entries(value).flatMap(([name, each]) => placesIn(each, [...at, name]))];
}

function at(value: Attribute | undefined, [name, ...rest]: Place): Attribute | undefined {
  if (name === undefined) return value;
  if (isList(value)) return at(value[Number(name)], rest);
  return isMap(value) ? at(value[String(name)], rest) : undefined;
}

function withAt(value: Attribute, [name, ...rest]: Place, colour: Attribute): Attribute {
  if (name === undefined) return isMap(value) ? { ...value, colour } : value;
  if (isList(value)) return value.map((each, index) => (index === name ? withAt(each, rest, colour) : each));
  const held = isMap(value) ? value[name] : undefined;
  return isMap(value) && held !== undefined ? { ...value, [name]: withAt(held, rest, colour) } : value;
}

/** The row as a newer release might have written it: with one attribute more in each map of it. */
function newer(row: Row, colour: Attribute): Row {
  const { pk, sk } = row;
  const whole = placesIn(row).reduce<Attribute>((made, place) => withAt(made, place, colour), row);
  return isMap(whole) ? { ...whole, pk, sk } : row;
}

function committed(row: Row, { set, remove }: ReturnType<typeof changeBetween>): Row {
  const gone = Object.fromEntries(remove.map((name) => [name, undefined]));
  return { ...row, ...gone, ...Object.fromEntries(set) };
}

const overTheWire = (row: Row): Readonly<Record<string, unknown>> => fromItem(toItem(row));

describe.each(recordKinds)('a row of a %s that a newer release has written', (kind) => {
  test('is read as if that were not there', () => {
    readsTheSame(kind);
  });

  test('keeps what only that one knows, whatever is written to it', () => {
    keeps(kind);
  });
});

function readsTheSame<K extends RecordKind>(kind: K): void {
  fc.assert(
    fc.property(anyRecord[kind], news, (record, colour) => {
      const read = codecs[kind].decode(overTheWire(newer(toRow(kind, record), colour)));
      // Names of symbols are not looked at: there it is carried.
      expect(structuredClone(read)).toEqual(record);
      expect(JSON.stringify(read)).not.toContain('colour');
    }),
    { numRuns: 25 },
  );
}

function keeps<K extends RecordKind>(kind: K): void {
  fc.assert(
    fc.property(anyRecord[kind], anyRecord[kind], news, fc.boolean(), (record, other, colour, isSpread) => {
      const row = newer(toRow(kind, record), colour);
      const before = codecs[kind].decode(overTheWire(row));
      const next: Records[K] = { ...other, ...keyOf(kind, record), version: before.version + 1 };
      const after = nextOf(kind, before, isSpread ? { ...before, ...next } : next);
      const result = committed(row, changeBetween(kind, before, after, 'c1'));
      expect(structuredClone(codecs[kind].decode(overTheWire(result)))).toEqual(
        structuredClone(codecs[kind].decode(toRow(kind, withoutKept(kind, before, after)))),
      );
      for (const place of placesIn(toRow(kind, record))) {
        if (!isStillThere(row, result, place)) continue;
        expect(at(result, [...place, 'colour'])).toEqual(colour);
      }
      // Written once more, it is all still there.
      const again = committed(result, changeBetween(kind, after, nextOf(kind, after, after), 'c2'));
      expect(again).toEqual({ ...result, version: after.version + 1, commitId: 'c2' });
    }),
    { numRuns: 25 },
  );
}

function keyOf<K extends RecordKind>(kind: K, record: Records[K]): object {
  const { pk, sk } = codecs[kind].encode(record);
  return codecs[kind].keyOf({ pk, sk });
}

/** What others write beside commits stays as it was. */
function withoutKept<K extends RecordKind>(kind: K, before: Records[K], after: Records[K]): Records[K] {
  const kept = codecs[kind].kept;
  return Object.assign(
    { ...after },
    Object.fromEntries(Object.entries(before).filter(([name]) => kept.includes(name))),
  );
}

/** By these maps tell whose they are; when all of them are the same, it is the same map. */
const tellingNames = ['state', 'kind', 'move', 'owner', 'token', 'code', 'since', 'sequence', 'fact', 'at'];

/** Is the map there still, of the same kind all the way? Of lists only by what they are told apart by. */
function isStillThere(
  was: Attribute | undefined,
  is: Attribute | undefined,
  [name, ...rest]: Place,
): boolean {
  if (isList(was) || isList(is)) return false;
  if (!isMap(was) || !isMap(is)) return false;
  if (name === undefined) return true;
  const [held, now] = [was[String(name)], is[String(name)]];
  if (!isMap(held) || !isMap(now)) return false;
  return tellingNames.every((each) => held[each] === now[each]) && isStillThere(held, now, rest);
}

test('what stands in an element of a list stays with that element', () => {
  const [sample] = fc.sample(anyRecord.cleanup, { numRuns: 1, seed: 5 });
  if (sample === undefined) throw new RangeError('no sample');
  const item = (key: string) => ({ key, kind: 'slot', name: key, systemIdentifier: '7' });
  const record = { ...sample, items: [item('one'), item('two'), item('three')] };
  const row = newer(toRow('cleanup', record), 'red');
  const before = codecs.cleanup.decode(overTheWire(row));
  const items = [item('new'), { ...item('three'), oid: 9 }, item('one')];
  const after = { ...before, items, version: before.version + 1 };
  expect(committed(row, changeBetween('cleanup', before, after, 'c'))['items']).toEqual([
    item('new'),
    { ...item('three'), oid: 9, colour: 'red' },
    { ...item('one'), colour: 'red' },
  ]);
});

test('what stands in a state goes with the state, and nothing else does', () => {
  const [sample] = fc.sample(
    anyRecord.move.filter(({ execution }) => execution.status.state === 'waiting'),
    { numRuns: 1, seed: 5 },
  );
  if (sample === undefined) throw new RangeError('no sample');
  const row = newer(toRow('move', sample), 'red');
  const before = codecs.move.decode(overTheWire(row));
  const execution = { ...before.execution, status: { state: 'completed' as const, endedAt: 1 } };
  const after = { ...before, execution, version: before.version + 1 };
  const result = committed(row, changeBetween('move', before, after, 'c'));
  expect(result['status']).toEqual({ state: 'completed', endedAt: 1 });
  expect([result['colour'], at(result, ['last', 'colour']), at(result, ['policy', 'colour'])]).toEqual([
    'red',
    'red',
    'red',
  ]);
});

describe('what stands beside a worker', () => {
  const began = {
    state: 'running' as const,
    step: 'copy',
    failures: 0,
    idleHandovers: 0,
    deaths: 0,
    dueAt: 0,
    spentMs: 0,
    forwardOnly: false,
    retreats: 0,
  };
  const lease = { owner: 'one', token: 4, until: 1_000 };
  const waiting = { code: 'host-unreachable', on: 'a does not answer', since: 500 };
  const working = moveOf(1, 'shop', { ...began, lease, waiting, lastFailure: failure });

  /** The row after these versions of its status, each made of what the commit before has left. */
  function after(...statuses: readonly ExecutionState[]): Row {
    let row = newer(toRow('move', working), 'red');
    let held = codecs.move.decode(overTheWire(row));
    for (const status of statuses) {
      const next = nextOf('move', held, { ...held, execution: { ...held.execution, status } });
      row = committed(row, changeBetween('move', held, next, 'c'));
      held = next;
    }
    return row;
  }
  const coloured = (row: Row, name: string) => at(row, ['status', name, 'colour']);

  test('stays with its lease, its wait and its failure while they go on', () => {
    const row = after({
      ...began,
      lease: { ...lease, until: 2_000 },
      waiting: { ...waiting, on: 'a and b do not answer' },
      lastFailure: { ...failure, sentence: 'b has much too little room' },
    });
    for (const name of ['lease', 'waiting', 'lastFailure']) expect(coloured(row, name)).toBe('red');
  });

  test('goes with them, and does not come back in what another has written later', () => {
    const other = {
      ...began,
      lease: { owner: 'two', token: 5, until: 2_000 },
      waiting: { ...waiting, since: 600 },
      lastFailure: { ...failure, code: 'other' },
    };
    const renewed = { ...other, lease: { ...other.lease, until: 3_000 } };
    for (const row of [after(other), after(other, renewed), after(began, other)]) {
      for (const name of ['lease', 'waiting', 'lastFailure']) expect(coloured(row, name)).toBeUndefined();
      expect(at(row, ['status', 'colour'])).toBe('red');
    }
    const last = { fact: 'claimed', at: 7, by: 'worker' };
    const row = newer(toRow('move', working), 'red');
    const before = codecs.move.decode(overTheWire(row));
    const next = nextOf('move', before, { ...before, execution: { ...before.execution, last } });
    expect(committed(row, changeBetween('move', before, next, 'c'))['last']).toEqual(last);
  });
});

test('what stands in an element of a list is found again, wherever that has gone meanwhile', () => {
  const item = (key: string) => ({ key, kind: 'slot', name: key, systemIdentifier: '7' });
  const [sample] = fc.sample(anyRecord.cleanup, { numRuns: 1, seed: 5 });
  if (sample === undefined) throw new RangeError('no sample');
  let row = newer(toRow('cleanup', { ...sample, items: [item('one')] }), 'red');
  let held = codecs.cleanup.decode(overTheWire(row));
  for (const items of [
    [item('new'), item('one')],
    [item('newer'), item('new'), item('one')],
  ]) {
    const next = nextOf('cleanup', held, { ...held, items });
    row = committed(row, changeBetween('cleanup', held, next, 'c'));
    held = next;
  }
  expect(row['items']).toEqual([item('newer'), item('new'), { ...item('one'), colour: 'red' }]);
});

test('a row in which something of a newer release could not be written again is refused', () => {
  const [sample] = fc.sample(anyRecord.move, { numRuns: 1, seed: 5 });
  if (sample === undefined) throw new RangeError('no sample');
  const { last, ...row } = toRow('move', sample);
  const odd = { ...row, last: { ...(isMap(last) ? last : {}), seen: new Uint8Array([1]) } };
  expect(() => codecs.move.decode(odd)).toThrow(RowUnreadable);
});

test('a row is refused for what is wrong with it, also where what is not known has hidden it', () => {
  const schema = z.strictObject({
    pk: z.string(),
    sk: z.string(),
    range: z.strictObject({ from: z.int(), to: z.int() }).refine(({ from, to }) => from <= to, 'ends early'),
  });
  const row = { pk: 'P', sk: 'S', colour: 'red', range: { from: 2, to: 1, colour: 'red' } };
  expect(() => readRow(schema, row)).toThrow('row P S, attribute "range": ends early');
  expect(structuredClone(readRow(schema, { ...row, range: { ...row.range, to: 3 } }))).toEqual({
    pk: 'P',
    sk: 'S',
    range: { from: 2, to: 3 },
  });
});

test('a row of history has what it has, and what is more is passed over', () => {
  const [move] = fc.sample(anyMoveId, 1);
  const row = {
    pk: `MOVE#${String(move)}`,
    sk: 'HISTORY#00000001',
    kind: 'history',
    move,
    version: 1,
    at: 1,
    by: 'worker',
    fact: 'claimed',
    from: 'waiting',
    to: 'running',
    expiresAt: 2,
  };
  expect(decodeHistory({ ...row, colour: 'red' })).toEqual(decodeHistory(row));
});
