import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import type { Meter, Metric } from '../ports/meter.ts';

const unitOf = (metric: Metric) => (metric.endsWith('Ms') ? MetricUnit.Milliseconds : MetricUnit.Count);

/** Each figure as a line of its own, in the embedded metric format: by stage, and by what it is of. */
export function createMeter(stage: string): Meter {
  const metrics = new Metrics({ namespace: 'Drayage', serviceName: 'drayage', singleMetric: true });
  return {
    note: (metric, value, of = {}) => {
      metrics.addDimensions({ stage, ...of });
      metrics.addMetric(metric, unitOf(metric), value);
    },
  };
}
