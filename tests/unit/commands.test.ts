import { describe, expect, test } from '@jest/globals';
import { isTerminal } from '../../shared/domain/execution.ts';
import type { BatchId, MoveId } from '../../shared/domain/ids.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { shardOf } from '../../shared/domain/shards.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import { moveIdOf, resolvedNames } from '../../shared/workflow/planning/plan-batch.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, failure, moveOf, states } from '../support/sample-batch.ts';

const soon = { remainingMs: () => 60_000 };
const accepted = { kind: 'accepted' };
const refused = (code: string) => ({ kind: 'refused', failure: { code } });

interface Bench {
  readonly bench: MoveBench;
  readonly desk: CommandDesk;
  readonly batch: BatchId;
}

/** Endpoints on `a`, and a batch that has been asked for and planned, to `b`. */
async function withBatch(policy: object = {}, names: readonly string[] = ['shop']): Promise<Bench> {
  const bench = new MoveBench();
  const desk = new CommandDesk(bench);
  await bench.addHost('a');
  await bench.addHost('b');
  for (const name of names) {
    bench.network.addDatabase('a', { name, rows: 5 }, bench.clock.now());
    await desk.publish('endpoint.registered', { name, host: 'a', database: name, sizeBytes: 1 });
  }
  const data = { reason: 'test', endpoints: names, target: 'b', policy: { retention: 0, ...policy } };
  const batch = batchIn(await desk.publish('batch-move.requested', data, '/author'));
  await desk.settle();
  return { bench, desk, batch };
}

function batchIn(outcome: RequestRecord['outcome']): BatchId {
  if (outcome.kind !== 'accepted' || outcome.batch === undefined)
    throw new Error(`no batch: ${JSON.stringify(outcome)}`);
  return outcome.batch;
}

async function movesOf({ services }: MoveBench, id: BatchId): Promise<Move[]> {
  const batch = await services.store.load('batch', { id });
  if (batch === undefined) throw new Error('there is no batch');
  const names = await resolvedNames(services, batch);
  const moves = await services.store.loadMany(
    'move',
    names.map((name) => ({ id: moveIdOf(services, batch, name) })),
  );
  return moves.flatMap((move) => move ?? []);
}

const labelsOf = async (bench: MoveBench, id: BatchId): Promise<string[]> =>
  (await movesOf(bench, id)).map(({ execution }) => labelOf(execution));

async function firstOf(bench: MoveBench, id: BatchId): Promise<Move> {
  const [move] = await movesOf(bench, id);
  if (move === undefined) throw new Error('the batch has no move');
  return move;
}

/** Works on moves until this one is as wanted, or has come to its end. */
async function workOn(
  bench: MoveBench,
  id: MoveId,
  until: (move: Move) => boolean = hasEnded,
): Promise<void> {
  await bench.deliverTo(id, until);
}

const hasEnded = ({ execution: { status } }: Move): boolean => isTerminal(status.state);

const waitsAt =
  (code: string) =>
  ({ execution: { status } }: Move): boolean =>
    'waiting' in status && status.waiting.code === code;

describe('a pause', () => {
  test('lets nothing begin, and once it is over everything does', async () => {
    for (const subject of [{ all: true }, { host: 'a' }, { host: 'b' }]) {
      const bench = new MoveBench();
      const desk = new CommandDesk(bench);
      await bench.addHost('a');
      await bench.addHost('b');
      await desk.publish('endpoint.registered', { name: 'shop', host: 'a', database: 'shop' });
      expect(await desk.command({ verb: 'pause', ...subject })).toMatchObject(accepted);
      const request = { reason: 'test', endpoints: ['shop'], target: 'b' };
      const batch = batchIn(await desk.publish('batch-move.requested', request));
      await desk.settle();
      expect(await labelsOf(bench, batch)).toEqual(['waiting']);
      expect(await desk.command({ verb: 'resume', ...subject })).toMatchObject(accepted);
      await desk.settle();
      expect(await labelsOf(bench, batch)).toEqual(['transferring']);
    }
  });

  test('of an endpoint takes its move out of the line, and its end puts it back', async () => {
    const { bench, desk, batch } = await withBatch({ start: 'manual' }, ['crm', 'shop']);
    expect(await desk.command({ verb: 'pause', endpoint: 'crm' })).toMatchObject(accepted);
    await desk.command({ verb: 'start', batch });
    await desk.settle();
    const [crm, shop] = await movesOf(bench, batch);
    expect(crm?.execution.status).toMatchObject({
      state: 'waiting',
      putOff: true,
      waiting: { code: 'paused' },
    });
    expect(shop?.execution.status.state).toBe('running');
    expect((await bench.services.views.waiting(shardOf('a'), '', 10)).map(({ id }) => id)).toEqual([]);
    await desk.command({ verb: 'resume', endpoint: 'crm' });
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['transferring', 'transferring']);
  });

  test('whose end wakes nobody is over all the same once the move is looked at again', async () => {
    const { bench, desk, batch } = await withBatch({ start: 'manual' });
    await desk.command({ verb: 'pause', endpoint: 'shop' });
    await desk.command({ verb: 'start', batch });
    await desk.settle();
    const { store } = bench.services;
    const { endpoint } = await firstOf(bench, batch);
    const placement = await store.load('endpoint', { endpoint });
    if (placement === undefined) throw new Error('there is no placement');
    const { paused: _, ...rest } = placement;
    await store.commit('endpoint', placement, rest);
    bench.clock.pass(960_000);
    await sweepRows(bench.services, soon);
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['transferring']);
  });

  test('of a batch lets what copies go on until its cutover, and no further', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    await desk.command({ verb: 'pause', batch });
    await workOn(bench, id, waitsAt('paused'));
    expect((await firstOf(bench, batch)).execution.status).toMatchObject({
      step: 'freeze',
      waiting: { code: 'paused', on: expect.stringContaining('by /ops') },
    });
    expect(bench.calls).toContain('verify');
    expect(bench.calls).not.toContain('fence');
    bench.bus.sent.splice(0);
    await desk.command({ verb: 'resume', batch });
    await desk.settle();
    await workOn(bench, id);
    expect(await labelsOf(bench, batch)).toEqual(['retired']);
    expect(bench.calls).toContain('fence');
  });

  test('whose end was said just before a move said that it waits for it is over for it too, and soon', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    await desk.command({ verb: 'pause', batch });
    await workOn(bench, id, waitsAt('paused'));
    const { store } = bench.services;
    const found = await store.load('batch', { id: batch });
    if (found === undefined) throw new Error('there is no batch');
    // Nobody is woken by this.
    const { paused: _, ...resumed } = found;
    await store.commit('batch', found, resumed);
    const began = bench.clock.now();
    await workOn(bench, id);
    expect(await labelsOf(bench, batch)).toEqual(['retired']);
    expect(bench.clock.now() - began).toBeLessThan(30_000);
  });

  test('that lasts is asked about less and less often', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    await desk.command({ verb: 'pause', batch });
    await workOn(bench, id, waitsAt('paused'));
    const began = bench.clock.now();
    const looks: number[] = [];
    await workOn(bench, id, ({ execution: { status } }) => {
      if ('dueAt' in status) looks.push(Math.round((status.dueAt - began) / 5_000));
      return bench.clock.now() - began > 1_200_000;
    });
    expect([...new Set(looks)].slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184]);
  });

  test('that comes late, after its end was said, holds nothing back, and is told so', async () => {
    const { bench, desk, batch } = await withBatch({ start: 'manual' });
    await desk.command({ verb: 'resume', batch });
    const late = JSON.stringify({
      specversion: '1.0',
      id: 'late',
      source: '/ops',
      type: 'command.requested',
      time: new Date(bench.clock.now() - 5_000).toISOString(),
      data: { verb: 'pause', batch, reason: 'test' },
    });
    await desk.deliver(late);
    expect(await bench.services.store.load('request', { source: '/ops', id: 'late' })).toMatchObject({
      outcome: refused('command-superseded'),
    });
    expect((await bench.services.store.load('batch', { id: batch }))?.paused).toBeUndefined();
  });
});

describe('words of two publishers whose clocks differ', () => {
  const slow = async ({ bench, desk }: Pick<Bench, 'bench' | 'desk'>, data: object) => {
    const time = new Date(bench.clock.now() - 300_000).toISOString();
    const event = { specversion: '1.0', id: 'slow', source: '/slow', type: 'command.requested', time };
    await desk.deliver(JSON.stringify({ ...event, data: { reason: 'test', ...data } }));
    return (await bench.services.store.load('request', { source: '/slow', id: 'slow' }))?.outcome;
  };

  test('a pause, and a hold, count however slow the clock is of who says them', async () => {
    for (const [before, verb] of [
      ['resume', 'pause'],
      ['release', 'hold'],
    ] as const) {
      const scene = await withBatch({ start: 'manual' });
      const { bench, desk, batch } = scene;
      await desk.command({ verb: before, batch });
      expect(await slow(scene, { verb, batch })).toMatchObject(accepted);
      const row = await bench.services.store.load('batch', { id: batch });
      expect(verb === 'pause' ? row?.paused : row?.cutover).toMatchObject({ by: '/slow' });
      // And whoever ends it now does.
      bench.clock.pass(1);
      expect(await desk.command({ verb: before, batch })).toMatchObject(accepted);
      const after = await bench.services.store.load('batch', { id: batch });
      expect(after?.paused).toBeUndefined();
      expect(after?.cutover?.kind).not.toBe('held');
    }
  });

  test('an end that is earlier by its clock is refused with both times, and how to say it again', async () => {
    const scene = await withBatch({ start: 'manual' });
    await scene.desk.command({ verb: 'pause', batch: scene.batch });
    expect(await slow(scene, { verb: 'resume', batch: scene.batch })).toMatchObject({
      kind: 'refused',
      field: 'time',
      failure: {
        code: 'command-superseded',
        sentence: expect.stringMatching(/by \/ops, for .*Z; this was said for .*Z/),
        cure: expect.stringContaining('without time'),
      },
    });
  });
});

describe('a cutover', () => {
  test('waits for its release where the policy says so, and is compared anew before it', async () => {
    const { bench, desk, batch } = await withBatch({ holdBeforeCutover: true });
    const { id } = await firstOf(bench, batch);
    await workOn(bench, id, waitsAt('held'));
    expect(bench.calls).not.toContain('fence');
    bench.clock.pass(bench.services.settings.freshMs + 1);
    expect(await desk.command({ verb: 'release', move: id })).toMatchObject(accepted);
    await desk.settle();
    await workOn(bench, id);
    expect(bench.calls.filter((call) => call === 'verify' || call === 'fence')).toEqual([
      'verify',
      'verify',
      'fence',
    ]);
    expect(await labelsOf(bench, batch)).toEqual(['retired']);
    expect(await desk.command({ verb: 'hold', move: id })).toMatchObject(refused('move-ended'));
  });

  test('of a move that is held waits, and goes with all of its batch', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    await desk.command({ verb: 'hold', move: id });
    await workOn(bench, id, waitsAt('held'));
    bench.clock.pass(1_000);
    await desk.command({ verb: 'release', batch });
    await desk.settle();
    await workOn(bench, id);
    expect(await labelsOf(bench, batch)).toEqual(['retired']);
  });
});

describe('a batch that needs an approval', () => {
  test('waits for somebody other than its author', async () => {
    const { bench, desk, batch } = await withBatch({ approval: 'required' });
    expect(await labelsOf(bench, batch)).toEqual(['waiting']);
    expect(await bench.services.store.load('news', { id: `${batch}:approval` })).toMatchObject({
      kind: 'approval-wanted',
      next: expect.arrayContaining([`dray batch approve ${batch} --reason …`]),
    });
    expect(await desk.command({ verb: 'approve', batch }, '/author')).toMatchObject({
      ...refused('approval-by-author'),
      field: 'source',
    });
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['waiting']);
    expect(await desk.command({ verb: 'approve', batch })).toMatchObject(accepted);
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['transferring']);
    expect((await bench.services.store.load('batch', { id: batch }))?.approved).toMatchObject({
      by: '/ops',
      reason: 'test',
    });
  });

  test('is told apart from one that does not', async () => {
    const { desk, batch } = await withBatch();
    expect(await desk.command({ verb: 'approve', batch })).toMatchObject(refused('approval-not-asked'));
  });
});

describe('a cancel', () => {
  test('turns round what has begun and what has not, and the batch ends', async () => {
    const { bench, desk, batch } = await withBatch({}, ['crm', 'shop', 'wiki']);
    expect(await desk.command({ verb: 'cancel', batch })).toMatchObject(accepted);
    await desk.settle();
    for (const { id } of await movesOf(bench, batch)) await workOn(bench, id);
    expect(await labelsOf(bench, batch)).toEqual(['rolled-back', 'rolled-back', 'rolled-back']);
    const [move] = await movesOf(bench, batch);
    expect(move?.execution.status).toMatchObject({
      reason: { code: 'cancelled', sentence: 'cancelled by /ops: test' },
    });
    await bench.services.bus.sendDispatch({ batch });
    await desk.settle();
    expect(await bench.services.store.load('batch', { id: batch })).toMatchObject({
      state: 'completed',
      cancelled: { by: '/ops' },
      total: 3,
    });
    expect(bench.bus.announced.at(-1)?.data).toMatchObject({ notUndone: { count: 0, examples: [] } });
    expect(await desk.command({ verb: 'cancel', batch })).toMatchObject(refused('batch-ended'));
  });

  test('of what has arrived is refused with the way back, and the batch says what was not undone', async () => {
    const { bench, desk, batch } = await withBatch({ holdBeforeCutover: true }, ['crm', 'shop']);
    const [crm, shop] = await movesOf(bench, batch);
    if (crm === undefined || shop === undefined) throw new Error('two moves');
    await desk.command({ verb: 'release', move: crm.id });
    await workOn(bench, crm.id);
    expect(await desk.command({ verb: 'cancel', move: crm.id })).toMatchObject(refused('past-the-pivot'));
    await desk.command({ verb: 'cancel', batch });
    await desk.settle();
    await workOn(bench, shop.id);
    await bench.services.bus.sendDispatch({ batch });
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['retired', 'rolled-back']);
    expect(bench.bus.announced.at(-1)?.data).toMatchObject({
      cancelled: { by: '/ops', reason: 'test' },
      notUndone: { count: 1, examples: ['crm'] },
    });
  });

  test('of a move undoes that move alone', async () => {
    const { bench, desk, batch } = await withBatch({}, ['crm', 'shop']);
    const { id } = await firstOf(bench, batch);
    expect(await desk.command({ verb: 'cancel', move: id })).toMatchObject(accepted);
    expect(await desk.command({ verb: 'cancel', move: id })).toMatchObject(accepted);
    await workOn(bench, id);
    const [crm, shop] = await labelsOf(bench, batch);
    expect(crm).toBe('rolled-back');
    expect(shop).not.toMatch(/^roll/);
  });

  test('goes on where an invocation has ended, and turns round a move that was made too late', async () => {
    const { bench, desk, batch } = await withBatch({ start: 'manual' });
    const { store, bus } = bench.services;
    await desk.command({ verb: 'cancel', batch });
    await desk.settle();
    const move = await firstOf(bench, batch);
    await workOn(bench, move.id);
    // As if a planner had been held up in the middle of its page.
    await store.commit('move', await firstOf(bench, batch), {
      ...move,
      execution: { ...move.execution, status: states.waiting },
    });
    await bus.sendDispatch({ batch });
    await desk.settle();
    expect(await labelsOf(bench, batch)).toEqual(['rolling-back']);
  });
});

describe('a retry', () => {
  test('of what was rolled back is a new batch, planned anew', async () => {
    const { bench, desk, batch } = await withBatch({ start: 'manual' });
    const { id } = await firstOf(bench, batch);
    expect(await desk.command({ verb: 'retry', move: id })).toMatchObject(refused('move-under-way'));
    await desk.command({ verb: 'cancel', move: id });
    await workOn(bench, id);
    const again = batchIn(await desk.command({ verb: 'retry', move: id }));
    await desk.settle();
    expect(again).not.toBe(batch);
    expect(await desk.command({ verb: 'retry', move: id })).toMatchObject(refused('endpoint-moving'));
    const move = await firstOf(bench, again);
    await workOn(bench, move.id);
    expect(await labelsOf(bench, again)).toEqual(['retired']);
    expect(await desk.command({ verb: 'retry', move: id })).toMatchObject(refused('move-overtaken'));
    expect(await desk.command({ verb: 'retry', move: move.id })).toMatchObject(refused('move-arrived'));
    expect(await desk.command({ verb: 'retry', batch })).toMatchObject(refused('nothing-to-retry'));
  });

  test.each([
    ['forward', 'retire', { state: 'running', step: 'retire', forwardOnly: true, failures: 0 }],
    ['back', 'freeze', { state: 'rolling-back', step: 'freeze', failures: 0 }],
  ] as const)('of what is stuck on its way %s goes on there', async (direction, step, status) => {
    const bench = new MoveBench();
    const desk = new CommandDesk(bench);
    await bench.services.store.insert('batch', batchOf());
    const stuck = { state: 'stuck', endedAt: 5, step, direction, reason: failure } as const;
    const move = moveOf(1, 'shop', stuck);
    await bench.services.store.insert('move', move);
    expect(await desk.command({ verb: 'cancel', move: move.id })).toMatchObject(refused('move-stuck'));
    expect(await desk.command({ verb: 'retry', move: move.id })).toMatchObject(accepted);
    const now = await bench.services.store.load('move', move);
    expect(now?.execution).toMatchObject({ status, last: { fact: 'retried', by: '/ops', note: 'test' } });
    expect(bench.bus.sent.at(-1)?.queue).toBe(direction === 'forward' ? 'retire' : 'rollback');
  });
});

describe('a batch that is completed', () => {
  test('runs again once something of it that is stuck goes on, counts it where it is then, and is told once more', async () => {
    const { bench, desk, batch } = await withBatch({ retention: 60_000 });
    const { store, bus } = bench.services;
    const { id } = await firstOf(bench, batch);
    await workOn(bench, id, ({ execution }) => labelOf(execution) === 'moved');
    const moved = await firstOf(bench, batch);
    const status = {
      state: 'stuck',
      endedAt: 5,
      step: 'retire',
      direction: 'forward',
      reason: failure,
    } as const;
    await store.commit('move', moved, { ...moved, execution: { ...moved.execution, status } });
    await bus.sendDispatch({ batch });
    await desk.settle();
    expect(await store.load('batch', { id: batch })).toMatchObject({
      state: 'completed',
      counts: { stuck: 1 },
    });
    expect(await desk.command({ verb: 'retry', move: id })).toMatchObject(accepted);
    expect(await store.load('batch', { id: batch })).toMatchObject({ state: 'running', reopened: 1 });
    expect(await desk.command({ verb: 'pause', batch })).toMatchObject(accepted);
    expect(await desk.command({ verb: 'resume', batch })).toMatchObject(accepted);
    await workOn(bench, id);
    await bus.sendDispatch({ batch });
    await desk.settle();
    const ended = await store.load('batch', { id: batch });
    expect(ended).toMatchObject({ state: 'completed', counts: { retired: 1 }, endedAt: expect.any(Number) });
    expect(ended?.counts.stuck ?? 0).toBe(0);
    expect(
      bench.bus.announced.filter(({ type }) => type === 'batch.completed').map(({ id: told }) => told),
    ).toEqual([`${batch}:completed`, `${batch}:completed:2`]);
    expect(await store.load('news', { id: `${batch}:completed:2` })).toMatchObject({
      about: { moved: 1, stuck: 0 },
    });
  });
});

describe('a reverse', () => {
  test('is a new move back to where the first has come from', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    expect(await desk.command({ verb: 'reverse', move: id })).toMatchObject(refused('reverse-early'));
    await workOn(bench, id);
    const back = batchIn(await desk.command({ verb: 'reverse', move: id }));
    await desk.settle();
    const move = await firstOf(bench, back);
    expect(move).toMatchObject({ source: 'b', target: 'a' });
    await workOn(bench, move.id);
    expect(await labelsOf(bench, back)).toEqual(['retired']);
    expect(await desk.command({ verb: 'reverse', move: id })).toMatchObject(refused('move-overtaken'));
  });

  test('to a host that takes nothing any more is refused', async () => {
    const { bench, desk, batch } = await withBatch();
    const { id } = await firstOf(bench, batch);
    await workOn(bench, id);
    const host = await bench.services.store.load('host', { name: (await firstOf(bench, batch)).source });
    if (host === undefined) throw new Error('there is no host');
    const intent = { ...host.intent, value: 'cordoned' as const };
    await bench.services.store.commit('host', host, { ...host, intent });
    expect(await desk.command({ verb: 'reverse', move: id })).toMatchObject(refused('target-closed'));
  });
});

describe('a command', () => {
  const nobody = { batch: 'bt_00000000000000000000', move: 'mv_0000000000000000', host: 'x', endpoint: 'x' };

  test.each([
    ['start', 'batch'],
    ['approve', 'batch'],
    ['pause', 'batch'],
    ['pause', 'host'],
    ['pause', 'endpoint'],
    ['resume', 'batch'],
    ['hold', 'batch'],
    ['hold', 'move'],
    ['release', 'move'],
    ['cancel', 'batch'],
    ['cancel', 'move'],
    ['retry', 'batch'],
    ['retry', 'move'],
    ['reverse', 'move'],
  ] as const)('to %s a %s that there is not names it', async (verb, kind) => {
    const { [kind]: name } = nobody;
    expect(await new CommandDesk(new MoveBench()).command({ verb, [kind]: name })).toMatchObject({
      ...refused(`${kind}-unknown`),
      field: `data.${kind}`,
    });
  });

  test.each([
    [{ verb: 'pause' }, 'subject-missing', 'data.verb'],
    [{ verb: 'pause', all: true, host: 'a' }, 'subject-ambiguous', 'data.verb'],
    [{ verb: 'pause', move: 'mv_0000000000000000' }, 'subject-unfit', 'data.move'],
    [{ verb: 'reverse', batch: 'bt_00000000000000000000' }, 'subject-unfit', 'data.batch'],
    [{ verb: 'dance', all: true }, 'field-invalid', 'data.verb'],
    [{ verb: 'pause', all: true, reason: '' }, 'field-invalid', 'data.reason'],
    [{ verb: 'pause', all: false }, 'field-invalid', 'data.all'],
    [{ verb: 'hold', move: 'shop' }, 'field-invalid', 'data.move'],
    [{ verb: 'pause', all: true, when: 'now' }, 'field-unknown', 'data.when'],
  ])('of %j is refused with %s', async (data, code, field) => {
    expect(await new CommandDesk(new MoveBench()).command(data)).toMatchObject({ ...refused(code), field });
  });
});
