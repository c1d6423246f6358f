/**
 * A week of days and nights under the autoscaler, beside the fewest permits that, the same all week, would have kept
 * moves waiting no longer: `node bench/scaling.ts [seeds]`. Seconds of CPU, no clock, the same for ever.
 */
import {
  fewestFixed,
  flaps,
  planWeek,
  underFixed,
  underScaler,
  weekBounds,
} from '../tests/support/week-of-load.ts';
import { percentile } from './statistics.ts';

const seeds = Number(process.argv[2] ?? 5);
const seconds = (ms: number): string => `${String(Math.round(ms / 1_000))} s`;

for (let seed = 1; seed <= seeds; seed += 1) {
  const arrivals = planWeek(seed);
  const week = underScaler(arrivals);
  const p99 = percentile(week.waits, 0.99);
  const permits = fewestFixed(arrivals, 0.99, p99);
  const fixed = underFixed(arrivals, permits);
  const saved = 1 - week.permitHours / fixed.permitHours;
  process.stdout.write(
    [
      `seed ${String(seed)}: ${String(arrivals.length)} moves`,
      `waited p50 ${seconds(percentile(week.waits, 0.5))}, p99 ${seconds(p99)}, p99.9 ${seconds(percentile(week.waits, 0.999))}`,
      `${String(week.decisions.length)} decisions, ${String(flaps(week.decisions, weekBounds.cooldownMs))} opposite ones within the cool-down`,
      `${week.permitHours.toFixed(0)} permit-hours, ${fixed.permitHours.toFixed(0)} with ${String(permits)} all week: ${(saved * 100).toFixed(1)} % saved\n`,
    ].join('; '),
  );
}
