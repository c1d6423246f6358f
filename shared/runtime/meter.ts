import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import type { Clock } from '../ports/clock.ts';
import type { Measured, Meter, Metric } from '../ports/meter.ts';

/** Figures that are of the same: they leave in one line. */
interface Held {
  readonly of: readonly Measured[];
  /** When the first of them was noted, in epoch milliseconds: that is the time of all. */
  readonly since: number;
  readonly values: Map<Metric, number[]>;
}

/** Alarms are not to hear of a figure later than this, as long as others follow it. */
const longestHeldMs = 5_000;
/** The embedded metric format takes 100 values of a figure in one line. */
const mostValues = 99;

/** A meter that writes what it was told when an invocation ends: what is logged is paid for by its length. */
export interface LoggingMeter extends Meter {
  /** To be called when an invocation ends: whatever is held belongs to it. */
  flush(): void;
}

/**
 * Figures in the embedded metric format: by stage, and by what each is of. A process that is killed takes those of its
 * last seconds along.
 */
export function createMeter(stage: string, clock: Pick<Clock, 'now'>): LoggingMeter {
  const lines = new Metrics({ namespace: 'Drayage', serviceName: 'drayage' });
  lines.setDefaultDimensions({ stage });
  const held = new Map<string, Held>();

  function write(key: string, { of, since, values }: Held): void {
    held.delete(key);
    for (const each of of) lines.addDimensions({ ...each });
    for (const [metric, those] of values)
      for (const value of those) lines.addMetric(metric, unitOf(metric), value);
    lines.setTimestamp(since).publishStoredMetrics();
  }

  function flush(): void {
    for (const [key, each] of held) write(key, each);
  }

  return {
    flush,
    note: (metric, value, ...told) => {
      // What cannot be written must not fail the work that it is about.
      if (!Number.isFinite(value)) return;
      const now = clock.now();
      const [oldest] = held.values();
      if (oldest !== undefined && now - oldest.since >= longestHeldMs) flush();
      const of = told.length === 0 ? [{}] : told;
      const key = JSON.stringify(of);
      const group = held.get(key) ?? { of, since: now, values: new Map<Metric, number[]>() };
      held.set(key, group);
      const values = group.values.get(metric) ?? [];
      values.push(value);
      group.values.set(metric, values);
      if (values.length >= mostValues) write(key, group);
    },
  };
}

function unitOf(metric: Metric) {
  if (metric.endsWith('Ms')) return MetricUnit.Milliseconds;
  return metric.endsWith('Bytes') ? MetricUnit.Bytes : MetricUnit.Count;
}
