import { describe, expect, test } from '@jest/globals';
import { explainMove } from '../../shared/domain/explain.ts';
import { scalingAnswer } from '../../shared/contracts/api/fleet.ts';
import { hostInList } from '../../shared/contracts/api/hosts.ts';
import { moveAnswer } from '../../shared/contracts/api/moves.ts';
import { labelOf, moveLabels, type MoveLabel } from '../../shared/domain/move.ts';
import { backOffMs } from '../../web/api/back-off.ts';
import { moveOf } from '../../shared/contracts/api/told.ts';
import { troubleIn } from '../../web/api/trouble.ts';
import { decisionsIn, openAlarmsIn, permitsText } from '../../web/alarms/open-alarms.ts';
import { binsOf } from '../../web/batch/histogram.ts';
import { mostMeasured } from '../../shared/domain/eta.ts';
import { likeThem, whichToRead, type ListedMove } from '../../web/batch/sample.ts';
import { linkFor, routeOf } from '../../web/route.ts';

const idOf = (at: number): string => `mv_${String(at).padStart(16, '0')}`;
const listed = (at: number, state: MoveLabel, source = 'a', target = 'b'): ListedMove => ({
  ...{ move: idOf(at), endpoint: `e${String(at)}`, state, source, target },
});
const many = (figure: number, state: MoveLabel, from = 0): ListedMove[] =>
  Array.from({ length: figure }, (_, at) => listed(from + at, state));

const waiting = moveAnswer.parse({
  ...{ move: idOf(1), batch: `bt_${'0'.repeat(20)}`, endpoint: 'e1', database: 'e1', driver: 'simulated' },
  ...{ source: 'a', target: 'b', state: 'waiting', why: 'it has room', priority: 50, run: 1, epoch: 1 },
  createdAt: 1_000,
  status: {
    state: 'waiting',
    waiting: { code: 'permit', on: 'a permit on a and b', since: 2_000 },
    dueAt: 3_000,
  },
  ...{ results: {}, timings: {}, version: 1 },
  last: { fact: 'made', at: 1_000, by: 'planner' },
});

describe('which moves of a batch are read', () => {
  test('no more than are wanted, those first that somebody has to look at', () => {
    const all = [...many(50, 'moved'), ...many(10, 'transferring', 100), ...many(2, 'stuck', 200)];
    const chosen = whichToRead(all, new Map(), 0, 14);
    expect(chosen).toHaveLength(14);
    expect(chosen.slice(0, 2)).toEqual([idOf(200), idOf(201)]);
    expect(chosen.slice(2, 12)).toEqual(many(10, 'transferring', 100).map(({ move }) => move));
  });

  test('what has ended once, what is under way again and again, in turns', () => {
    const all = [listed(1, 'moved'), listed(2, 'transferring'), listed(3, 'transferring')];
    const known = new Map([
      [idOf(1), { label: 'moved' as const, readAt: 0 }],
      [idOf(2), { label: 'transferring' as const, readAt: 20_000 }],
      [idOf(3), { label: 'transferring' as const, readAt: 10_000 }],
    ]);
    expect(whichToRead(all, known, 60_000, 9)).toEqual([idOf(3), idOf(2)]);
    expect(whichToRead(all, known, 20_500, 9)).toEqual([idOf(3)]);
  });

  test('what has come into another state, however fresh it is', () => {
    const known = new Map([[idOf(1), { label: 'transferring' as const, readAt: 100 }]]);
    expect(whichToRead([listed(1, 'moved')], known, 101, 9)).toEqual([idOf(1)]);
  });

  test('of what waits one for each way, of what has arrived no more than tell enough', () => {
    const ways = [listed(1, 'waiting'), listed(2, 'waiting'), listed(3, 'waiting', 'a', 'c')];
    expect(whichToRead(ways, new Map(), 0, 9)).toEqual([idOf(1), idOf(3)]);
    expect(whichToRead(many(5_000, 'moved'), new Map(), 0, 1e6)).toHaveLength(mostMeasured);
  });

  test('the others are taken to wait as the one of their way does', () => {
    const speaker = moveOf(waiting);
    const alike = likeThem(
      [listed(1, 'waiting'), listed(2, 'waiting'), listed(3, 'waiting', 'a', 'c'), listed(4, 'moved')],
      [speaker],
    );
    expect(alike).toEqual([{ ...speaker, id: idOf(2), endpoint: 'e2' }]);
  });
});

describe('a move as the API tells of it', () => {
  const statuses = {
    waiting: [waiting.status, 'waits for permits on a and b'],
    transferring: [{ state: 'running', step: 'copy', failures: 0, dueAt: 1, spentMs: 5 }, 'copy'],
    'cutting-over': [
      { state: 'running', step: 'freeze', failures: 0, waiting: { code: 'paused', on: 'waits', since: 1 } },
      'freeze: waits',
    ],
    moved: [{ state: 'running', step: 'retire', failures: 0 }, 'moved; the source copy is being retired'],
    retired: [{ state: 'completed', endedAt: 9 }, 'moved; the copy on the source has been retired'],
    'rolling-back': [
      { state: 'rolling-back', step: 'copy', failures: 0, reason: { code: 'c', sentence: 'S', cure: 'C' } },
      'undo of copy',
    ],
    'rolled-back': [
      { state: 'rolled-back', endedAt: 9, reason: { code: 'c', sentence: 'S', cure: 'C' } },
      'rolled back: S (c); C',
    ],
    stuck: [
      {
        state: 'stuck',
        endedAt: 9,
        step: 'copy',
        direction: 'back',
        reason: { code: 'c', sentence: 'S', cure: 'C' },
      },
      'stuck in the undo of copy: S (c); C',
    ],
  } as const satisfies Readonly<Record<MoveLabel, readonly [object, string]>>;

  test.each(moveLabels)('is explained as dray explains it: %s', (label) => {
    const [status, sentence] = statuses[label];
    const move = moveOf(moveAnswer.parse({ ...waiting, state: label, status }));
    expect(labelOf(move.execution)).toBe(label);
    expect(explainMove(move).sentence).toBe(sentence);
  });
});

test('which batches want a move, and which move takes it along, is read with it', () => {
  const batch = `bt_${'1'.repeat(20)}`;
  const reasons = [{ batch, move: idOf(2), priority: 80, by: '/ops', at: 1, reason: 'disk' }];
  const joined = { move: idOf(3), batch };
  expect(moveOf(moveAnswer.parse({ ...waiting, reasons, joined }))).toMatchObject({ reasons, joined });
  expect(moveOf(waiting)).not.toHaveProperty('reasons');
});

test('open alarms are signals of hosts and alarms that scale, the longest open first', () => {
  const host = hostInList.parse({
    ...{ host: 'a', driver: 'postgres', zone: 'z', clientAddress: 'a:1', movesOut: 1, movesIn: 1 },
    intent: { value: 'active', reason: 'new', sequence: 1 },
    signals: { disk: { kind: 'failed', since: 20, at: 30 } },
  });
  const decision = (at: number) => ({
    ...{ at, direction: 'in', from: { moves: 200 }, to: { moves: 175 }, reason: 'idle' },
  });
  const targets = [
    {
      target: 'all',
      permits: {},
      alarms: { wait: { state: 'alarm', at: 10, name: 'w' } },
      decisions: [decision(1)],
    },
    {
      ...{ target: 'host/b', permits: { out: 1, in: 2 }, decisions: [decision(3), decision(2)] },
      alarms: { lag: { state: 'ok', at: 1, name: 'l' }, latency: { state: 'alarm', at: 40, name: 'y' } },
    },
  ].map((each) => scalingAnswer.parse(each));
  expect(
    openAlarmsIn({ hosts: [host], targets }).map(({ about, host: of, since }) => [about, of, since]),
  ).toEqual([
    ['all', undefined, 10],
    ['a', 'a', 20],
    ['host/b', 'b', 40],
  ]);
  expect(decisionsIn(targets).map(({ target, at }) => [target, at])).toEqual([
    ['host/b', 3],
    ['host/b', 2],
    ['all', 1],
  ]);
  expect([permitsText({ out: 4, in: 2 }), permitsText({ moves: 150 })]).toEqual(['4 out, 2 in', '150 moves']);
});

describe('what is asked again', () => {
  test('waits longer each time, half a minute and a fifth at the most', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 100].map((tries) => backOffMs(tries, 0.5));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect([backOffMs(9, 0), backOffMs(9, 0.999_999)]).toEqual([24_000, 36_000]);
  });

  test('says what the API says, or else what its answer was', () => {
    const problem = { type: 't', title: 'There is none.', status: 404, code: 'batch-unknown', cure: 'Look.' };
    expect(troubleIn(404, problem)).toEqual({
      code: 'batch-unknown',
      sentence: 'There is none.',
      cure: 'Look.',
      status: 404,
    });
    expect(troubleIn(502, { message: null })).toMatchObject({ code: 'http-502', status: 502 });
    expect(troubleIn(403, { message: 'Forbidden' }).sentence).toContain('Forbidden');
  });
});

test('pauses are put into bins of a round width, each into one', () => {
  expect(binsOf([])).toEqual([]);
  expect(binsOf([137])).toEqual([{ from: 137, to: 138, figure: 1 }]);
  const values = Array.from({ length: 500 }, (_, at) => 90 + ((at * 37) % 611));
  const bins = binsOf(values);
  expect(bins.reduce((sum, { figure }) => sum + figure, 0)).toBe(values.length);
  expect(bins.length).toBeLessThanOrEqual(16);
  expect(new Set(bins.map(({ from, to }) => to - from))).toEqual(new Set([50]));
});

test('addresses lead to views, and what leads nowhere is said to', () => {
  const batch = `bt_${'a'.repeat(20)}`;
  expect(routeOf('')).toEqual({ view: 'fleet' });
  expect(routeOf('#/')).toEqual({ view: 'fleet' });
  expect(routeOf('#/batches')).toEqual({ view: 'batches' });
  expect(routeOf('#/alarms')).toEqual({ view: 'alarms' });
  expect(routeOf(`#/batches/${batch}`)).toEqual({ view: 'batch', id: batch });
  expect(routeOf(`#/moves/${idOf(1)}`)).toEqual({ view: 'move', id: idOf(1) });
  expect(routeOf('#/hosts/a.b-c')).toEqual({ view: 'host', name: 'a.b-c' });
  for (const path of ['hosts/..%2Fx', 'hosts/%', 'batches/bt_1', 'endpoints/a/b', 'nothing'])
    expect(routeOf(`#/${path}`)).toEqual({ view: 'nowhere', path });
  expect([linkFor(batch), linkFor('shop'), linkFor('<b>')]).toEqual([
    `#/batches/${batch}`,
    '#/endpoints/shop',
    undefined,
  ]);
});
