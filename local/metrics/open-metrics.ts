import type { MetricKind } from '../../shared/ports/meter.ts';
import { keyOf, type Figures, type SeriesName } from './embedded.ts';

/** What is known of a metric by its name. */
export type Meanings = Readonly<Record<string, { readonly kind: MetricKind; readonly says: string }>>;

/** What Prometheus asks for. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** A level of which nothing was told for so long is of something that is over: some are told every ten minutes. */
const staleMs = 15 * 60_000;
/** Upper bounds in seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600] as const;
const types = { count: 'counter', level: 'gauge', spread: 'histogram' } as const;

interface Series {
  readonly labels: string;
  at: number;
  last: number;
  sum: number;
  count: number;
  /** How many are within each bound. */
  readonly within: number[];
}

interface Family {
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: 'seconds' | 'bytes' | undefined;
  readonly says: string | undefined;
  readonly series: Map<string, Series>;
}

/** All figures since the cloud was started, in the text form of OpenMetrics 1.0. */
export class OpenMetrics {
  readonly #meanings: Meanings;
  readonly #families = new Map<string, Family>();

  /** @param meanings of what is not in there its unit tells how it is read */
  constructor(meanings: Meanings) {
    this.#meanings = meanings;
  }

  add({ name, unit, at, values, isAgain }: Figures): void {
    // Whoever adds up what is told apart is not to count it twice.
    if (isAgain) return;
    const family = this.#familyOf(name, unit);
    const series = seriesOf(family, name, at);
    const scale = family.unit === 'seconds' ? 1_000 : 1;
    for (const value of values.map((each) => each / scale)) {
      series.last = value;
      series.sum += value;
      series.count += 1;
      for (const [index, bound] of bounds.entries())
        if (value <= bound) series.within[index] = (series.within[index] ?? 0) + 1;
    }
    series.at = Math.max(series.at, at);
  }

  /** A count that somebody else keeps. @param sum since the cloud was started */
  count(name: SeriesName, sum: number): void {
    seriesOf(this.#familyOf(name, 'Count'), name, 0).sum = sum;
  }

  /** @param now epoch milliseconds */
  text(now: number): string {
    const lines = [...this.#families.values()].flatMap((family) => {
      const living = [...family.series.values()].filter(
        ({ at }) => family.kind !== 'level' || now - at < staleMs,
      );
      return living.length === 0 ? [] : [...headOf(family), ...living.flatMap(samplesOf(family))];
    });
    return [...lines, '# EOF', ''].join('\n');
  }

  #familyOf({ namespace, metric }: SeriesName, told: string | undefined): Family {
    const key = `${namespace} ${metric}`;
    const known = this.#families.get(key);
    if (known !== undefined) return known;
    const meaning = this.#meanings[metric];
    const kind = meaning?.kind ?? (told === 'Count' ? 'count' : told === 'Milliseconds' ? 'spread' : 'level');
    const unit = told === 'Milliseconds' ? 'seconds' : told === 'Bytes' ? 'bytes' : undefined;
    const bare = snake(metric.replace(/(?:Ms|Bytes)$/, ''));
    const name = [snake(namespace), bare, ...(unit === undefined ? [] : [unit])].join('_');
    const family: Family = { name, kind, unit, says: meaning?.says, series: new Map() };
    this.#families.set(key, family);
    return family;
  }
}

function seriesOf({ series }: Family, name: SeriesName, at: number): Series {
  const key = keyOf(name);
  const found = series.get(key) ?? {
    labels: labelsOf(name.dimensions),
    at,
    last: 0,
    sum: 0,
    count: 0,
    within: bounds.map(() => 0),
  };
  series.set(key, found);
  return found;
}

function headOf({ name, kind, unit, says }: Family): string[] {
  return [
    `# TYPE ${name} ${types[kind]}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    ...(says === undefined ? [] : [`# HELP ${name} ${escaped(says)}`]),
  ];
}

const samplesOf =
  ({ name, kind }: Family) =>
  ({ labels, last, sum, count, within }: Series): string[] => {
    switch (kind) {
      case 'count':
        return [`${name}_total${braced(labels)} ${String(sum)}`];
      case 'level':
        return [`${name}${braced(labels)} ${String(last)}`];
      case 'spread': {
        const bucket = (le: string, value: number): string =>
          `${name}_bucket${braced(labels === '' ? `le="${le}"` : `${labels},le="${le}"`)} ${String(value)}`;
        return [
          ...bounds.map((bound, index) => bucket(canonical(bound), within[index] ?? 0)),
          bucket('+Inf', count),
          `${name}_count${braced(labels)} ${String(count)}`,
          `${name}_sum${braced(labels)} ${String(sum)}`,
        ];
      }
      default:
        return kind satisfies never;
    }
  };

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);
const canonical = (bound: number): string => (Number.isInteger(bound) ? `${String(bound)}.0` : String(bound));

function labelsOf(dimensions: Readonly<Record<string, string>>): string {
  return Object.entries(dimensions)
    .map(([name, value]) => `${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}="${escaped(value)}"`)
    .join(',');
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `LongestSilence` → `longest_silence` */
const snake = (name: string): string =>
  name
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll(/[^a-zA-Z0-9]+/g, '_')
    .toLowerCase();
