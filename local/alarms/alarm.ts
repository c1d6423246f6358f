import { ACCOUNT_ID } from '../template/stack.ts';
import type { SeriesName } from '../metrics/embedded.ts';
import type { MetricStore } from '../metrics/metric-store.ts';

export const statistics = ['Average', 'Maximum', 'Minimum', 'SampleCount', 'Sum'] as const;
export const comparisons = [
  'GreaterThanOrEqualToThreshold',
  'GreaterThanThreshold',
  'LessThanOrEqualToThreshold',
  'LessThanThreshold',
] as const;
export const missingDatas = ['breaching', 'ignore', 'missing', 'notBreaching'] as const;

/** An alarm of the template on one statistic of one metric. */
export interface AlarmSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly description: string | undefined;
  readonly series: SeriesName;
  readonly statistic: (typeof statistics)[number];
  readonly comparison: (typeof comparisons)[number];
  readonly missingData: (typeof missingDatas)[number];
  readonly threshold: number;
  readonly periodMs: number;
  readonly periods: number;
  /** So many of the periods must be breaching. */
  readonly datapoints: number;
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>;
}

export type AlarmState = 'ALARM' | 'INSUFFICIENT_DATA' | 'OK';

/** Looks at its periods whenever one has passed, and tells its actions of each change of state. */
export class Alarm {
  readonly spec: AlarmSpec;
  readonly #store: MetricStore;
  readonly #deliver: (arn: string, body: string) => Promise<void>;
  /** Where it was made it would have no data yet; it is taken to be well, and nobody is told of that. */
  #state: AlarmState = 'OK';
  #timer: NodeJS.Timeout | undefined;

  constructor(spec: AlarmSpec, store: MetricStore, deliver: (arn: string, body: string) => Promise<void>) {
    this.spec = spec;
    this.#store = store;
    this.#deliver = deliver;
  }

  get state(): AlarmState {
    return this.#state;
  }

  /** @param speed 60 makes a second of a minute; 0: it is looked at only when told to */
  start(speed: number): void {
    if (speed <= 0) return;
    const periodMs = this.spec.periodMs / speed;
    this.#timer = setInterval(() => {
      void this.evaluate(Date.now(), periodMs).catch(() => undefined);
    }, periodMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the periods up to now; resolves once its actions have been told of a change. */
  async evaluate(now: number, periodMs = this.spec.periodMs): Promise<void> {
    const next = this.#judge(now, periodMs);
    if (next === undefined || next.state === this.#state) return;
    const old = this.#state;
    this.#state = next.state;
    const body = this.#notification(old, next, now);
    await Promise.all(this.spec.actions[next.state].map((arn) => this.#deliver(arn, body)));
  }

  /** @returns undefined when it stays as it is */
  #judge(now: number, periodMs: number): { readonly state: AlarmState; readonly reason: string } | undefined {
    const { series, periods, datapoints, threshold, missingData } = this.spec;
    const points: (number | undefined)[] = Array.from({ length: periods }, (_, nth) =>
      this.#point(this.#store.values(series, now - (nth + 1) * periodMs, now - nth * periodMs)),
    );
    const known = points.filter((point) => point !== undefined);
    if (known.length === 0) {
      if (missingData === 'ignore') return undefined;
      if (missingData === 'missing')
        return { state: 'INSUFFICIENT_DATA', reason: 'Insufficient Data: no datapoints were received' };
    }
    const missing = missingData === 'breaching' ? points.length - known.length : 0;
    const breaching = known.filter((point) => this.#breaches(point)).length + missing;
    const figures = known.map(String).join(', ');
    const reason = `Threshold Crossed: ${String(breaching)} out of the last ${String(periods)} datapoints [${figures}] against the threshold (${String(threshold)})`;
    return breaching >= datapoints ? { state: 'ALARM', reason } : { state: 'OK', reason };
  }

  #point(values: readonly number[]): number | undefined {
    if (values.length === 0) return undefined;
    const sum = values.reduce((total, value) => total + value, 0);
    switch (this.spec.statistic) {
      case 'Maximum':
        return Math.max(...values);
      case 'Minimum':
        return Math.min(...values);
      case 'Sum':
        return sum;
      case 'SampleCount':
        return values.length;
      case 'Average':
        return sum / values.length;
      default:
        return this.spec.statistic satisfies never;
    }
  }

  #breaches(point: number): boolean {
    const { comparison, threshold } = this.spec;
    switch (comparison) {
      case 'GreaterThanThreshold':
        return point > threshold;
      case 'GreaterThanOrEqualToThreshold':
        return point >= threshold;
      case 'LessThanThreshold':
        return point < threshold;
      case 'LessThanOrEqualToThreshold':
        return point <= threshold;
      default:
        return comparison satisfies never;
    }
  }

  /** What CloudWatch publishes. */
  #notification(
    old: AlarmState,
    { state, reason }: { readonly state: AlarmState; readonly reason: string },
    now: number,
  ): string {
    const { spec } = this;
    return JSON.stringify({
      AlarmName: spec.name,
      AlarmDescription: spec.description ?? null,
      AWSAccountId: ACCOUNT_ID,
      AlarmConfigurationUpdatedTimestamp: stamp(now),
      NewStateValue: state,
      NewStateReason: reason,
      StateChangeTime: stamp(now),
      Region: spec.region,
      AlarmArn: spec.arn,
      OldStateValue: old,
      OKActions: spec.actions.OK,
      AlarmActions: spec.actions.ALARM,
      InsufficientDataActions: spec.actions.INSUFFICIENT_DATA,
      Trigger: {
        MetricName: spec.series.metric,
        Namespace: spec.series.namespace,
        StatisticType: 'Statistic',
        Statistic: spec.statistic.toUpperCase(),
        Unit: null,
        Dimensions: Object.entries(spec.series.dimensions).map(([name, value]) => ({ value, name })),
        Period: spec.periodMs / 1_000,
        EvaluationPeriods: spec.periods,
        DatapointsToAlarm: spec.datapoints,
        ComparisonOperator: spec.comparison,
        Threshold: spec.threshold,
        TreatMissingData: spec.missingData,
        EvaluateLowSampleCountPercentile: '',
      },
    });
  }
}

/** A time as CloudWatch writes it: its offset has no colon. */
const stamp = (at: number): string => new Date(at).toISOString().replace('Z', '+0000');
