import { describe, expect, test } from '@jest/globals';
import { etaOf, type Paced } from '../../shared/domain/eta.ts';

/** Figures in [0, 1) from a seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Drain {
  readonly lanes: number;
  readonly works: readonly { readonly bytes: number; readonly ms: number }[];
}

/** A batch of sizes that differ a hundredfold, on hosts that are now faster, now slower. */
function drainOf(seed: number): Drain {
  const chance = random(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  const lanes = 1 + Math.floor(chance() * 8);
  const works = Array.from({ length: 12 + Math.floor(chance() * 60) }, () => {
    const bytes = Math.exp(17 + 1.2 * normal());
    return { bytes, ms: (3_000 + bytes / 20_000) * Math.exp(0.3 * normal()) };
  });
  return { lanes, works };
}

/** The batch at the moment at which this share of it has arrived, and what it then took to its end. */
function at(share: number, { lanes, works }: Drain): { readonly moves: Paced[]; readonly leftMs: number } {
  const free = Array.from({ length: lanes }, () => 0);
  const spans = works.map(({ bytes, ms }) => {
    const lane = free.indexOf(Math.min(...free));
    const from = free[lane] ?? 0;
    free[lane] = from + ms;
    return { bytes, ms, from, to: from + ms };
  });
  const ends = spans.map(({ to }) => to).sort((one, other) => one - other);
  const now = ends[Math.max(0, Math.floor(share * ends.length) - 1)] ?? 0;
  const moves = spans.map(({ bytes, ms, from, to }): Paced => {
    if (to <= now) return { state: 'arrived', bytes, workedMs: ms };
    return from <= now
      ? { state: 'under-way', bytes, workedMs: now - from }
      : { state: 'to-come', bytes, workedMs: 0 };
  });
  return { moves, leftMs: Math.max(...ends) - now };
}

const seeds = Array.from({ length: 150 }, (_, seed) => seed + 1);

describe('the estimated end of a batch', () => {
  test.each([0.25, 0.5, 0.75])('holds in its band what happens, four times in five, at %s of it', (share) => {
    const looks = seeds.map((seed) => at(share, drainOf(seed)));
    const missed = looks.filter(({ moves, leftMs }) => {
      const eta = etaOf(moves);
      return eta === undefined || leftMs < eta.earliestMs || leftMs > eta.latestMs;
    });
    expect(missed.length / looks.length).toBeLessThanOrEqual(0.2);
  });

  test('is off by less than a fifth, half of the time, and its band is no wider than it has to be', () => {
    const looks = seeds.map((seed) => at(0.5, drainOf(seed)));
    const errors = looks.map(({ moves, leftMs }) => Math.abs((etaOf(moves)?.ms ?? 0) / leftMs - 1));
    const widths = looks.map(({ moves }) => {
      const eta = etaOf(moves);
      return eta === undefined ? 0 : (eta.latestMs - eta.earliestMs) / eta.ms;
    });
    expect(median(errors)).toBeLessThan(0.2);
    expect(median(widths)).toBeLessThan(1);
  });

  test('is the same at each look at the same batch, and the middle lies in the band', () => {
    for (const seed of seeds) {
      const { moves } = at(0.3, drainOf(seed));
      const eta = etaOf(moves);
      expect(etaOf(moves)).toEqual(eta);
      expect(eta?.ms).toBeGreaterThanOrEqual(eta?.earliestMs ?? Infinity);
      expect(eta?.ms).toBeLessThanOrEqual(eta?.latestMs ?? 0);
    }
  });

  test('is unknown before anything has arrived, and when nothing is left', () => {
    expect(etaOf([{ state: 'under-way', bytes: 1e6, workedMs: 9_000 }])).toBeUndefined();
    expect(etaOf([{ state: 'arrived', bytes: 1e6, workedMs: 9_000 }])).toBeUndefined();
    expect(etaOf([])).toBeUndefined();
  });

  test('of moves whose size nobody knows is taken from those that have arrived', () => {
    const eta = etaOf([
      { state: 'arrived', bytes: 1e6, workedMs: 10_000 },
      { state: 'arrived', bytes: 3e6, workedMs: 20_000 },
      { state: 'to-come', workedMs: 0 },
      { state: 'under-way', workedMs: 60_000 },
    ]);
    expect(eta?.ms).toBeGreaterThan(5_000);
    expect(eta?.ms).toBeLessThan(30_000);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
