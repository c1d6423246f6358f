import { percentile } from '../../bench/statistics.ts';
import {
  freshScaler,
  hearAlarm,
  scale,
  type ScaleBounds,
  type ScaleDecision,
} from '../../shared/domain/scaling.ts';
import { Dice } from './dice.ts';

/** Moves that come and go for a week under permits that somebody turns: what they wait, and what the permits cost. */
export interface Week {
  /** Milliseconds that moves waited. */
  readonly waits: readonly number[];
  /** Permits that there were, times the hours. */
  readonly permitHours: number;
  readonly decisions: readonly ScaleDecision[];
}

interface Arrival {
  readonly at: number;
  readonly takesMs: number;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
/** Alarms look at whole minutes; queues are looked at six times as often. */
const tickMs = 10 * secondMs;
/** No move in a thousand is to wait longer than this … */
export const waitTargetMs = 5 * minuteMs;
/** … and the alarm is raised while there is time to do something about it. */
const alarmMs = 2 * minuteMs;

export const weekBounds: ScaleBounds = {
  least: 10,
  most: 200,
  gradient: 10,
  stepMs: minuteMs,
  cooldownMs: 30 * minuteMs,
};

/** Many by day, few by night and fewer on Sundays; each night some host is drained. */
export function planWeek(seed: number): readonly Arrival[] {
  const dice = new Dice(seed);
  const takesMs = (): number => Math.round(2 * minuteMs - 6 * minuteMs * Math.log(1 - dice.fraction()));
  const arrivals: Arrival[] = [];
  for (let at = 0; at < weekMs; at += tickMs) {
    const daylight = Math.max(0, Math.sin(((at % dayMs) / dayMs - 0.25) * 2 * Math.PI));
    const perMinute = 1.5 + (at >= 6 * dayMs ? 4 : 13) * daylight ** 1.5;
    if (dice.chance((perMinute * tickMs) / minuteMs - Math.floor((perMinute * tickMs) / minuteMs)))
      arrivals.push({ at, takesMs: takesMs() });
    for (let nth = 1; nth <= (perMinute * tickMs) / minuteMs; nth += 1)
      arrivals.push({ at, takesMs: takesMs() });
    if (at % dayMs === 3 * hourMs)
      for (let nth = 0; nth < 60; nth += 1) arrivals.push({ at, takesMs: takesMs() });
  }
  return arrivals;
}

/** The week with as many permits all the time. */
export const underFixed = (arrivals: readonly Arrival[], permits: number): Week =>
  live(arrivals, () => permits, []);

/** The week with the autoscaler, which hears of nothing but its alarm and of how many permits are in use. */
export function underScaler(arrivals: readonly Arrival[], bounds: ScaleBounds = weekBounds): Week {
  let scaler = freshScaler({ kind: 'all' }, 0);
  let state: 'alarm' | 'ok' = 'ok';
  const decisions: ScaleDecision[] = [];
  const permits = (): number => scaler.dials.moves ?? bounds.most;
  return live(
    arrivals,
    (now, inUse, oldestMs) => {
      if (now % minuteMs !== 0) return permits();
      const next = oldestMs > alarmMs ? 'alarm' : 'ok';
      if (next !== state)
        scaler = hearAlarm(scaler, 'wait', { state: next, at: now, name: 'scale-wait' }) ?? scaler;
      state = next;
      const [last] = scaler.decisions;
      scaler = scale(scaler, bounds, { now, ceiling: { moves: bounds.most }, inUse, strained: [] });
      const [decision] = scaler.decisions;
      if (decision !== undefined && decision !== last) decisions.push(decision);
      return permits();
    },
    decisions,
  );
}

type Turn = (now: number, inUse: number, oldestMs: number) => number;

function live(arrivals: readonly Arrival[], turn: Turn, decisions: readonly ScaleDecision[]): Week {
  const waits: number[] = [];
  let underWay: number[] = [];
  let arrived = 0;
  let begun = 0;
  let permitMs = 0;
  for (let now = 0; now < weekMs; now += tickMs) {
    underWay = underWay.filter((end) => end > now);
    while ((arrivals[arrived]?.at ?? Infinity) <= now) arrived += 1;
    const oldest = begun < arrived ? arrivals[begun] : undefined;
    const permits = turn(now, underWay.length, oldest === undefined ? 0 : now - oldest.at);
    for (; begun < arrived && underWay.length < permits; begun += 1) {
      const next = arrivals[begun];
      if (next === undefined) break;
      waits.push(now - next.at);
      underWay.push(now + next.takesMs);
    }
    permitMs += permits * tickMs;
  }
  return { waits, permitHours: permitMs / hourMs, decisions };
}

/** The fewest permits, the same all week, with which no more than `share` of the moves wait longer than `longestMs`. */
export function fewestFixed(arrivals: readonly Arrival[], share: number, longestMs: number): number {
  let low = 1;
  let high = weekBounds.most;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (percentile(underFixed(arrivals, middle).waits, share) <= longestMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Pairs of decisions in opposite directions that are closer to each other than the cool-down. */
export function flaps(decisions: readonly ScaleDecision[], cooldownMs: number): number {
  return decisions.filter((decision, index) => {
    const before = decisions[index - 1];
    return (
      before !== undefined && before.direction !== decision.direction && decision.at - before.at < cooldownMs
    );
  }).length;
}
