import { keyOf, type Figures, type SeriesName } from './embedded.ts';

interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The figures that somebody watches, for as long as they are looked back at. */
export class MetricStore {
  readonly #series = new Map<string, Sample[]>();
  readonly #keepMs = new Map<string, number>();

  /** Keeps a series from now on; what nobody watches is not kept. */
  watch(name: SeriesName, keepMs: number): void {
    const key = keyOf(name);
    this.#keepMs.set(key, Math.max(keepMs, this.#keepMs.get(key) ?? 0));
  }

  add({ name, at, values }: Figures): void {
    const key = keyOf(name);
    const keepMs = this.#keepMs.get(key);
    if (keepMs === undefined) return;
    const samples = (this.#series.get(key) ?? []).filter((sample) => sample.at > at - keepMs);
    samples.push(...values.map((value) => ({ at, value })));
    this.#series.set(key, samples);
  }

  /** The figures of a series from after `from` up to `to` (epoch milliseconds). */
  values(name: SeriesName, from: number, to: number): readonly number[] {
    const samples = this.#series.get(keyOf(name)) ?? [];
    return samples.filter(({ at }) => at > from && at <= to).map(({ value }) => value);
  }
}
