import { z } from 'zod';

/** What a series of figures is called: two with the same dimensions are one. */
export interface SeriesName {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Sample {
  readonly at: number;
  readonly value: number;
}

const embedded = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});
const figures = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/** The figures that somebody watches, for as long as they are looked back at. */
export class MetricStore {
  readonly #series = new Map<string, Sample[]>();
  readonly #keepMs = new Map<string, number>();

  /** Keeps a series from now on; what nobody watches is not kept. */
  watch(name: SeriesName, keepMs: number): void {
    const key = keyOf(name);
    this.#keepMs.set(key, Math.max(keepMs, this.#keepMs.get(key) ?? 0));
  }

  /** Takes a line that a function wrote, if it is one of the embedded metric format. */
  observe(line: string): void {
    if (!line.includes('"_aws"')) return;
    const parsed = embedded.safeParse(jsonOf(line));
    if (!parsed.success) return;
    const { _aws, ...values } = parsed.data;
    for (const { Namespace: namespace, Dimensions, Metrics } of _aws.CloudWatchMetrics) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(values[name])]));
        for (const { Name: metric } of Metrics) {
          const found = figures.safeParse(values[metric]);
          if (found.success) this.#add({ namespace, metric, dimensions }, _aws.Timestamp, found.data);
        }
      }
    }
  }

  /** The figures of a series from after `from` up to `to` (epoch milliseconds). */
  values(name: SeriesName, from: number, to: number): readonly number[] {
    const samples = this.#series.get(keyOf(name)) ?? [];
    return samples.filter(({ at }) => at > from && at <= to).map(({ value }) => value);
  }

  #add(name: SeriesName, at: number, values: readonly number[]): void {
    const key = keyOf(name);
    const keepMs = this.#keepMs.get(key);
    if (keepMs === undefined) return;
    const samples = (this.#series.get(key) ?? []).filter((sample) => sample.at > at - keepMs);
    samples.push(...values.map((value) => ({ at, value })));
    this.#series.set(key, samples);
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function keyOf({ namespace, metric, dimensions }: SeriesName): string {
  const sorted = Object.entries(dimensions).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([namespace, metric, sorted]);
}
