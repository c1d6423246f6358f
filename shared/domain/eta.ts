/** A move as its end is estimated: what it is known to hold, and what it has taken so far. */
export interface Paced {
  readonly state: 'arrived' | 'under-way' | 'to-come';
  /** Undefined where nobody has looked yet. */
  readonly bytes?: number;
  /** Milliseconds of work so far; of one that has arrived: all of it. */
  readonly workedMs: number;
}

/** How long until all have arrived, in milliseconds from now: in the middle, and a band that four of five ends fall into. */
export interface Eta {
  readonly ms: number;
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** Before much has been measured: how far one move may be off what another of its size has taken. */
const prior = [0.6, 1, 1.7];
const draws = 60;
const band = { low: 0.1, high: 0.9 };
/** So many of those that have arrived tell enough of what the others will take. */
export const mostMeasured = 200;
/** What is under way beyond its time needs at least this share of it. */
const leastLeft = 0.05;

/**
 * When the rest of a batch will have arrived, by what those that arrived have taken: a fixed part and one by size,
 * spread as theirs were. As many go on side by side as are under way now.
 *
 * Each of many draws takes some of those that arrived for all of them, so that a batch that has just begun has a wide
 * band.
 *
 * @param moves those that can go on; who is held back by a person or a window is not among them
 * @returns undefined while none has arrived: nothing has been measured; also when nothing is left
 */
export function etaOf(moves: readonly Paced[]): Eta | undefined {
  const arrived = moves.filter(({ state }) => state === 'arrived').slice(-mostMeasured);
  const left = moves.filter(({ state }) => state !== 'arrived');
  if (arrived.length === 0 || left.length === 0) return undefined;
  const lanes = Math.max(1, left.filter(({ state }) => state === 'under-way').length);
  const chance = sequence(moves.length);
  const oneOf = <T>(some: readonly T[]): T | undefined => some[Math.floor(chance() * some.length)];
  const pace = paceOf(arrived);
  const spread = [...prior, ...arrived.map(({ bytes, workedMs }) => workedMs / pace(bytes))];
  const ends = Array.from({ length: draws }, () => {
    const expected = paceOf(arrived.flatMap(() => oneOf(arrived) ?? []));
    // Whether the next are like the first nobody knows; the fewer there were, the less.
    const doubt = (oneOf(spread) ?? 1) ** (1 / Math.sqrt(arrived.length));
    let sum = 0;
    let longest = 0;
    for (const { state, bytes, workedMs } of left) {
      const whole = expected(bytes) * doubt * (oneOf(spread) ?? 1);
      const rest = state === 'under-way' ? Math.max(whole - workedMs, leastLeft * whole) : whole;
      sum += rest;
      longest = Math.max(longest, rest);
    }
    // They do not end together: the last sticks out by up to its own length.
    return Math.max(longest, sum / lanes + chance() * longest * (1 - 1 / lanes));
  }).sort((one, other) => one - other);
  const at = (share: number): number => Math.round(ends[Math.round(share * (draws - 1))] ?? 0);
  return { ms: at(0.5), earliestMs: at(band.low), latestMs: at(band.high) };
}

/** Milliseconds that a move of so many bytes takes: a line through those that have arrived, never below zero. */
function paceOf(arrived: readonly Paced[]): (bytes: number | undefined) => number {
  const sizes = arrived.map(({ bytes = 0 }) => bytes);
  const times = arrived.map(({ workedMs }) => workedMs);
  const [meanSize, meanTime] = [mean(sizes), mean(times)];
  const variance = mean(sizes.map((size) => (size - meanSize) ** 2));
  const together = mean(sizes.map((size, at) => (size - meanSize) * ((times[at] ?? 0) - meanTime)));
  const steep = variance === 0 ? 0 : Math.max(0, together / variance);
  const base = meanTime - steep * meanSize;
  const perByte = base < 0 && meanSize > 0 ? meanTime / meanSize : steep;
  return (bytes = meanSize) => Math.max(1, Math.max(0, base) + perByte * bytes);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Figures in [0, 1) that look like chance and are the same each time: a look must not differ from the last one. */
function sequence(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) % 4_294_967_296;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
