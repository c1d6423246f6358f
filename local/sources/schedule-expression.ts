import { CloudError } from '../cloud-error.ts';

/** When a schedule fires: every so many milliseconds, or in the minutes that a cron expression names (UTC). */
export type ScheduleExpression =
  | { readonly kind: 'rate'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly fires: (minute: Date) => boolean };

const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Reads `rate(5 minutes)` or `cron(0/15 8-17 ? * MON-FRI *)`. Throws `TemplateUnresolvable` for anything else. */
export function parseSchedule(expression: string): ScheduleExpression {
  const rate = /^rate\((\d+) (second|minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) return { kind: 'rate', everyMs: Number(rate[1]) * (UNIT_MS[rate[2] ?? ''] ?? 0) };
  const fields = /^cron\(([^)]*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) throw unreadable(expression);
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  const sets = {
    minute: parseField(minutes, 0, 59, [], expression),
    hour: parseField(hours, 0, 23, [], expression),
    day: parseField(days, 1, 31, [], expression),
    month: parseField(months, 1, 12, MONTHS, expression),
    weekday: parseField(weekdays, 1, 7, DAYS, expression),
    year: parseField(years, 1970, 2199, [], expression),
  };
  return {
    kind: 'cron',
    fires: (at) =>
      sets.minute.has(at.getUTCMinutes()) &&
      sets.hour.has(at.getUTCHours()) &&
      sets.day.has(at.getUTCDate()) &&
      sets.month.has(at.getUTCMonth() + 1) &&
      sets.weekday.has(at.getUTCDay() + 1) &&
      sets.year.has(at.getUTCFullYear()),
  };
}

function parseField(
  field: string,
  low: number,
  high: number,
  names: readonly string[],
  expression: string,
): ReadonlySet<number> {
  const base = names === MONTHS || names === DAYS ? 1 : 0;
  const number = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const value = named === -1 ? Number(text) : named + base;
    if (!Number.isInteger(value) || value < low || value > high) throw unreadable(expression);
    return value;
  };
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const every = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(every) || every < 1) throw unreadable(expression);
    const [from, to] =
      range === '*' || range === '?'
        ? [low, high]
        : range.includes('-')
          ? [number(range.split('-')[0] ?? ''), number(range.split('-')[1] ?? '')]
          : [number(range), step === undefined ? number(range) : high];
    for (let value = from; value <= to; value += every) values.add(value);
  }
  return values;
}

function unreadable(expression: string): CloudError {
  return new CloudError(
    'TemplateUnresolvable',
    `The schedule ${expression} is not understood: write rate(n minutes) or cron(minute hour day month weekday year), without L, W or #.`,
  );
}
