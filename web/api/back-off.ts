const firstMs = 1_000;
const longestMs = 30_000;

/**
 * How long to wait before another try, in milliseconds: twice as long each time, half a minute at the most, and
 * not all consoles at the same moment.
 *
 * @param tries that have failed in a row, from 1
 * @param chance in [0, 1)
 */
export const backOffMs = (tries: number, chance: number): number =>
  Math.round(Math.min(longestMs, firstMs * 2 ** Math.min(tries - 1, 10)) * (0.8 + 0.4 * chance));
