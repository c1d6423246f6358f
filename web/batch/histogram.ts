export interface Bin {
  /** Milliseconds, from … */
  readonly from: number;
  /** … to, which is in the next one. */
  readonly to: number;
  readonly figure: number;
}

const steps = [1, 2, 5] as const;
const mostBins = 16;

/** Values by size, in bins of a round width: 12 to 16 of them where the values are spread. */
export function binsOf(values: readonly number[]): Bin[] {
  if (values.length === 0) return [];
  const least = Math.min(...values);
  const most = Math.max(...values);
  const width = roundUp(Math.max(1, (most - least) / (mostBins - 2)));
  const first = Math.floor(least / width) * width;
  const count = Math.floor((most - first) / width) + 1;
  return Array.from({ length: count }, (_, at): Bin => {
    const from = first + at * width;
    const to = from + width;
    return { from, to, figure: values.filter((value) => value >= from && value < to).length };
  });
}

/** To 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = steps.find((each) => each * power >= value) ?? 10;
  return step * power;
}
