import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { percentile } from '../../bench/statistics.ts';
import { hostName } from '../../shared/domain/ids.ts';
import {
  dialsIn,
  freshScaler,
  hearAlarm,
  keptDecisions,
  scale,
  scaleSignals,
  type ScaleBounds,
  type ScaleScene,
  type ScaleTarget,
  type Scaler,
} from '../../shared/domain/scaling.ts';
import {
  fewestFixed,
  flaps,
  planWeek,
  underFixed,
  underScaler,
  waitTargetMs,
  weekBounds,
} from '../support/week-of-load.ts';

const bounds: ScaleBounds = { least: 2, most: 40, gradient: 4, stepMs: 60_000, cooldownMs: 600_000 };
const host: ScaleTarget = { kind: 'host', host: hostName('h7') };
const all: ScaleTarget = { kind: 'all' };
const scene: ScaleScene = { now: 0, ceiling: { moves: 40 }, inUse: 0, strained: [] };

/** What happens between two looks at a target: some time, perhaps an alarm, and what is in use. */
const moment = fc.record({
  afterMs: fc.integer({ min: 1_000, max: 400_000 }),
  alarm: fc.option(
    fc.tuple(fc.constantFrom(...scaleSignals), fc.constantFrom('alarm' as const, 'ok' as const)),
  ),
  inUse: fc.nat(40),
  strained: fc.constantFrom<readonly string[]>([], [], [], ['a disk is slow']),
});

interface Passed {
  readonly before: Scaler;
  readonly after: Scaler;
  readonly scene: ScaleScene;
}

function live(
  target: ScaleTarget,
  moments: readonly (typeof moment extends fc.Arbitrary<infer M> ? M : never)[],
): Passed[] {
  let scaler = freshScaler(target, 0);
  let now = 0;
  return moments.map(({ afterMs, alarm, inUse, strained }) => {
    now += afterMs;
    if (alarm !== null) {
      const [signal, state] = alarm;
      scaler = hearAlarm(scaler, signal, { state, at: now, name: `scale-${signal}` }) ?? scaler;
    }
    const ceiling = target.kind === 'host' ? { out: 12, in: 6 } : { moves: 40 };
    const before = scaler;
    const at: ScaleScene = { now, ceiling, inUse, strained };
    scaler = scale(scaler, bounds, at);
    return { before, after: scaler, scene: at };
  });
}

const stories = fc.tuple(fc.constantFrom(host, all), fc.array(moment, { minLength: 10, maxLength: 80 }));

describe('the law of scaling', () => {
  test('permits stay between the least and as many as there are', () => {
    fc.assert(
      fc.property(stories, ([target, moments]) => {
        for (const { after, scene: at } of live(target, moments)) {
          const dials = dialsIn(after, bounds, at);
          expect(Object.keys(dials)).toEqual(Object.keys(at.ceiling));
          for (const value of Object.values(dials)) {
            expect(value).toBeGreaterThanOrEqual(bounds.least);
            expect(value).toBeLessThanOrEqual(40);
          }
          expect(dials.out ?? 0).toBeLessThanOrEqual(12);
          expect(dials.in ?? 0).toBeLessThanOrEqual(6);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('what is hurt gets no more permits, and half of them at once', () => {
    fc.assert(
      fc.property(stories, ([target, moments]) => {
        for (const { before, after, scene: at } of live(target, moments)) {
          const isHurt =
            at.strained.length > 0 ||
            before.alarms.lag?.state === 'alarm' ||
            before.alarms.latency?.state === 'alarm';
          if (!isHurt) continue;
          const [was, is] = [dialsIn(before, bounds, at), dialsIn(after, bounds, at)];
          const isDue = at.now - (before.lastInAt ?? -Infinity) >= bounds.stepMs;
          for (const dial of ['out', 'in', 'moves'] as const) {
            const value = was[dial];
            if (value === undefined) continue;
            const halved = Math.min(value, Math.max(bounds.least, Math.floor(value / 2)));
            expect(is[dial]).toBe(isDue ? halved : value);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('permits are taken from what is not hurt only a cool-down after the last were added, and never while moves wait', () => {
    fc.assert(
      fc.property(stories, ([target, moments]) => {
        for (const { before, after, scene: at } of live(target, moments)) {
          const [decision] = after.decisions;
          if (decision === before.decisions[0] || decision?.direction !== 'in') continue;
          if (decision.reason.includes('too high') || at.strained.length > 0) continue;
          expect(target).toEqual(all);
          expect(before.alarms.wait?.state).not.toBe('alarm');
          expect(at.now - (before.lastOutAt ?? -Infinity)).toBeGreaterThanOrEqual(bounds.cooldownMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('every change is a decision with its reason, and a bounded number of them is kept', () => {
    fc.assert(
      fc.property(stories, ([target, moments]) => {
        for (const { before, after, scene: at } of live(target, moments)) {
          const [was, is] = [dialsIn(before, bounds, at), dialsIn(after, bounds, at)];
          expect(after.decisions.length).toBeLessThanOrEqual(keptDecisions);
          const [decision] = after.decisions;
          if (JSON.stringify(was) === JSON.stringify(is)) expect(decision).toBe(before.decisions[0]);
          else
            expect(decision).toMatchObject({
              at: at.now,
              from: was,
              to: is,
              reason: expect.stringMatching(/.{10}/),
            });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an alarm that is older than what is known, or the same again, is not heard', () => {
    const heard = hearAlarm(freshScaler(all, 0), 'wait', { state: 'alarm', at: 10, name: 'x' });
    if (heard === undefined) throw new Error('not heard');
    for (const at of [9, 10])
      expect(hearAlarm(heard, 'wait', { state: 'ok', at, name: 'x' })).toBeUndefined();
    expect(hearAlarm(heard, 'wait', { state: 'ok', at: 11, name: 'x' })?.alarms.wait?.state).toBe('ok');
  });

  test('while the alarm lasts the cycle goes on by itself, by the gradient, until it is ended or all are given', () => {
    let scaler: Scaler = { ...freshScaler(all, 0), dials: { moves: 30 } };
    scaler = hearAlarm(scaler, 'wait', { state: 'alarm', at: 1, name: 'x' }) ?? scaler;
    const seen = [1, 30, 61, 121, 181].map((second) => {
      scaler = scale(scaler, bounds, { ...scene, now: second * 1_000 });
      return scaler.dials.moves;
    });
    expect(seen).toEqual([34, 34, 38, 40, 40]);
  });

  test('a host that is quiet again gets its permits back one by one', () => {
    let scaler: Scaler = { ...freshScaler(host, 0), dials: { out: 3, in: 3 }, lastInAt: 0 };
    const ceiling = { out: 5, in: 4 };
    const seen = Array.from({ length: 14 }, (_, minute) => {
      scaler = scale(scaler, bounds, { ...scene, now: minute * 60_000, ceiling });
      return [scaler.dials.out, scaler.dials.in];
    });
    expect(seen.slice(8)).toEqual([
      [3, 3],
      [3, 3],
      [4, 4],
      [5, 4],
      [5, 4],
      [5, 4],
    ]);
  });
});

describe('a week of days and nights', () => {
  test.each([1, 2, 3])(
    'never flaps, holds the wait, and saves permits against a fixed count (seed %i)',
    (seed) => {
      const arrivals = planWeek(seed);
      const week = underScaler(arrivals);
      expect(week.waits.length).toBeGreaterThan(0.99 * arrivals.length);
      expect(week.decisions.length).toBeGreaterThan(50);
      expect(flaps(week.decisions, weekBounds.cooldownMs)).toBe(0);
      expect(percentile(week.waits, 0.999)).toBeLessThanOrEqual(waitTargetMs);
      const fixed = underFixed(arrivals, fewestFixed(arrivals, 0.99, percentile(week.waits, 0.99)));
      expect(1 - week.permitHours / fixed.permitHours).toBeGreaterThan(0.34);
    },
  );
});
