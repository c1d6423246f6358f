import * as z from 'zod';

const iso =
  /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,3})?)S)?)?$/;
const unitMs = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000];

/**
 * Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds; `undefined` when it is none.
 * Months and years are none: they have no length of their own.
 */
function milliseconds(text: string): number | undefined {
  const parts: readonly (string | undefined)[] | undefined = iso.exec(text)?.slice(1);
  if (parts === undefined || parts.every((part) => part === undefined)) return undefined;
  return parts.reduce((sum, part, index) => sum + Math.round(Number(part ?? 0) * (unitMs[index] ?? 0)), 0);
}

/** A span of time as people write it (`"PT24H"`) or in milliseconds; bounds in milliseconds. */
export function durationField(least: number, most: number, rule: string) {
  const error = `${rule}, as an ISO 8601 duration such as "PT24H" or "PT0.5S", or in milliseconds`;
  return z
    .union([z.int(), z.string().max(40)], { error })
    .transform((value) => (typeof value === 'number' ? value : (milliseconds(value) ?? Number.NaN)))
    .refine((ms) => ms >= least && ms <= most, { error });
}
