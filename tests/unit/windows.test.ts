import { describe, expect, test } from '@jest/globals';
import { mayBegin, mayCutOver, tooLongFor, type GateScene } from '../../shared/domain/gate.ts';
import { leastWindowMs, neededMs } from '../../shared/domain/window.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { moveIdOf } from '../../shared/workflow/planning/plan-batch.ts';
import { endpointName, type BatchId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';

const hour = 3_600_000;
const at = (text: string): number => Date.parse(text);
const nightly = { cron: '0 2 * * *', durationMs: 2 * hour, timeZone: 'Europe/Berlin' };

describe('the calendar', () => {
  test.each([
    ['2026-11-28T00:59:59Z', { opensAt: at('2026-11-28T01:00:00Z') }],
    [
      '2026-11-28T01:00:00Z',
      {
        openSince: at('2026-11-28T01:00:00Z'),
        closesAt: at('2026-11-28T03:00:00Z'),
        opensAt: at('2026-11-29T01:00:00Z'),
      },
    ],
    ['2026-11-28T03:00:00Z', { opensAt: at('2026-11-29T01:00:00Z') }],
    // The clock goes from two to three: the window opens at three.
    ['2026-03-29T00:30:00Z', { opensAt: at('2026-03-29T01:00:00Z') }],
  ])('says at %s how a window stands', (now, times) => {
    expect(machineCalendar.timesOf(nightly, at(now))).toEqual(times);
  });

  test('lets windows that overlap stay open until the last of them closes', () => {
    const window = { cron: '0 * * * *', durationMs: 2 * hour, timeZone: 'UTC' };
    expect(machineCalendar.timesOf(window, at('2026-11-28T10:30:00Z'))).toMatchObject({
      openSince: at('2026-11-28T10:00:00Z'),
      closesAt: at('2026-11-28T12:00:00Z'),
    });
  });

  test('knows what never comes, and what it cannot read', () => {
    const now = at('2026-11-28T00:00:00Z');
    const fault = (change: object) => machineCalendar.faultOf({ ...nightly, ...change }, now);
    expect(fault({})).toBeUndefined();
    expect(fault({ cron: '0 0 30 2 *' })).toEqual({ part: 'cron', kind: 'never' });
    expect(fault({ cron: '99 * * * *' })).toEqual({ part: 'cron', kind: 'unreadable' });
    expect(fault({ timeZone: 'Mars/Olympus' })).toEqual({ part: 'timeZone', kind: 'unreadable' });
    expect(machineCalendar.timesOf({ ...nightly, timeZone: 'Mars/Olympus' }, now)).toEqual({});
  });
});

describe('what a move needs', () => {
  test('is a minute and ten megabytes a second, until three of its like have been measured', () => {
    expect(neededMs(0, [])).toBe(60_000);
    expect(neededMs(600_000_000, [])).toBe(120_000);
    const slow = { bytes: 60_000_000, ms: 120_000 };
    const fast = { bytes: 6_000_000_000, ms: 120_000 };
    expect(neededMs(60_000_000, [slow, fast])).toBe(66_000);
    expect(neededMs(60_000_000, [fast, slow, fast])).toBe(120_000);
  });
});

describe('a maintenance window', () => {
  const closesAt = 10 * hour;
  const scene = (needMs: number, times: object): GateScene => ({
    fleet: {},
    hosts: [],
    window: { of: nightly, times, needMs },
  });

  test('lets begin and cut over only what is done before it closes', () => {
    const open = { openSince: 8 * hour, closesAt, opensAt: 32 * hour };
    for (const ask of [mayBegin, mayCutOver]) {
      expect(ask(scene(hour, open), closesAt - hour).kind).toBe('open');
      expect(ask(scene(hour, open), closesAt - hour + 1)).toMatchObject({
        code: 'window-closed',
        opensAt: 32 * hour,
        on: expect.stringContaining('it needs about 60 min'),
      });
      expect(ask(scene(hour, { opensAt: 32 * hour }), closesAt)).toMatchObject({
        code: 'window-closed',
        on: 'the maintenance window at 1970-01-02T08:00:00.000Z',
      });
    }
  });

  test('that is shorter than what is asked for never lets it', () => {
    expect(tooLongFor(scene(2 * hour, {}))).toBeUndefined();
    expect(tooLongFor(scene(2 * hour + 1, {}))).toMatchObject({ code: 'window-too-short' });
    expect(tooLongFor({})).toBeUndefined();
  });
});

/** The bench's clock stands at 00:16:40 on 1 January 1970. */
const window = { cron: '0 2 * * *', duration: 'PT1H' };

async function withWindow(sizeBytes: number, bench = new MoveBench()) {
  const desk = new CommandDesk(bench);
  await bench.addHost('a');
  await bench.addHost('b');
  bench.network.addDatabase('a', { name: 'shop', rows: 5 }, bench.clock.now());
  await desk.publish('endpoint.registered', { name: 'shop', host: 'a', database: 'shop', sizeBytes });
  const request = { reason: 'test', endpoints: ['shop'], target: 'b', policy: { retention: 0, window } };
  const outcome = await desk.publish('batch-move.requested', request);
  if (outcome.kind !== 'accepted' || outcome.batch === undefined) throw new Error(JSON.stringify(outcome));
  const { batch } = outcome;
  await desk.settle();
  return { bench, desk, move: () => moveOf(bench, batch) };
}

async function moveOf({ services }: MoveBench, id: BatchId): Promise<Move> {
  const batch = await services.store.load('batch', { id });
  if (batch === undefined) throw new Error('there is no batch');
  const move = await services.store.load('move', {
    id: moveIdOf(services, batch, endpointName('shop')),
  });
  if (move === undefined) throw new Error('there is no move');
  return move;
}

const isBeforeFreeze = ({ execution: { status } }: Move): boolean =>
  'step' in status && status.step === 'freeze' && !('lease' in status);

const soon = { remainingMs: () => 60_000 };
const passTo = ({ clock }: MoveBench, time: number): void => {
  clock.pass(time - clock.now());
};

describe('a batch with a maintenance window', () => {
  test('begins when it opens, and cuts over in it', async () => {
    const { bench, desk, move } = await withWindow(1);
    expect((await move()).execution.status.state).toBe('waiting');
    passTo(bench, 2 * hour);
    await sweepRows(bench.services, soon);
    await desk.settle();
    expect((await move()).execution.status.state).toBe('running');
    await bench.deliverTo((await move()).id, ({ execution: { status } }) => status.state === 'completed');
    expect((await move()).execution.status.state).toBe('completed');
  });

  test('waits for the next one with a cutover that this one has no time for', async () => {
    const { bench, desk, move } = await withWindow(1);
    passTo(bench, 2 * hour);
    await bench.services.bus.sendDispatch({});
    await desk.settle();
    await bench.deliverTo((await move()).id, isBeforeFreeze);
    passTo(bench, 3 * hour - 1_000);
    const isWaiting = ({ execution: { status } }: Move): boolean =>
      status.state === 'running' && status.waiting?.code === 'window-closed';
    await bench.deliverTo((await move()).id, isWaiting);
    expect((await move()).execution.status).toMatchObject({ step: 'freeze', dueAt: 26 * hour });
    expect(bench.calls).not.toContain('fence');
    // Messages wait no longer than a quarter of an hour: the sweep sends the next when it is time.
    await bench.deliverTo((await move()).id);
    expect((await move()).execution.status).toMatchObject({ step: 'freeze' });
    passTo(bench, 26 * hour + 30_000);
    await sweepRows(bench.services, soon);
    await bench.deliverTo((await move()).id, ({ execution: { status } }) => status.state === 'completed');
    expect((await move()).execution.status.state).toBe('completed');
  });

  test('does not begin what this window has no time for, and puts it off', async () => {
    const bench = new MoveBench();
    passTo(bench, 3 * hour - 120_000);
    const { move } = await withWindow(1_200_000_000, bench);
    expect((await move()).execution.status).toMatchObject({
      state: 'waiting',
      putOff: true,
      dueAt: 26 * hour,
      waiting: { code: 'window-closed' },
    });
  });

  test('does not move what no window of it has time for, and says so', async () => {
    const bench = new MoveBench();
    passTo(bench, 2 * hour);
    const { move } = await withWindow(60_000_000_000, bench);
    expect((await move()).execution.status).toMatchObject({
      state: 'rolling-back',
      reason: { code: 'window-too-short' },
    });
  });

  test.each([
    [{ cron: '0 0 30 2 *', duration: 'PT1H' }, 'window-never', 'data.policy.window.cron'],
    [{ cron: '0 99 * * *', duration: 'PT1H' }, 'window-unreadable', 'data.policy.window.cron'],
    [
      { cron: '0 2 * * *', duration: 'PT1H', timeZone: 'Mars/Olympus' },
      'window-unreadable',
      'data.policy.window.timeZone',
    ],
    [{ cron: 'at night', duration: 'PT1H' }, 'field-invalid', 'data.policy.window.cron'],
    [{ cron: '0 2 * * *', duration: leastWindowMs - 1 }, 'field-invalid', 'data.policy.window.duration'],
    [{ cron: '0 2 * * *' }, 'field-missing', 'data.policy.window.duration'],
  ])('is refused with %j', async (wrong, code, field) => {
    const bench = new MoveBench();
    const desk = new CommandDesk(bench);
    await bench.addHost('a');
    const request = { reason: 'test', host: 'a', policy: { window: wrong } };
    expect(await desk.publish('batch-move.requested', request)).toMatchObject({
      kind: 'refused',
      failure: { code },
      field,
    });
  });
});
