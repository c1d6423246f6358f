/** Sizes and durations as people write and read them. */

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `100GB`, `1.5 TiB`, `4096`; `undefined` when it is no size. */
export function readBytes(text: string): number | undefined {
  const [, figure, unit] = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(units, (unit ?? '').toLowerCase())
    ? units[(unit ?? '').toLowerCase()]
    : undefined;
  if (figure === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(figure) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `312 MB`, `1.2 GB`. Decimal units, as disks are sold. */
export function showBytes(bytes: number): string {
  const [figure, unit] = [
    [1e12, 'TB'] as const,
    [1e9, 'GB'] as const,
    [1e6, 'MB'] as const,
    [1e3, 'kB'] as const,
  ].find(([size]) => bytes >= size) ?? [1, 'B'];
  const value = bytes / figure;
  return `${unit !== 'B' && value < 10 ? value.toFixed(1) : String(Math.round(value))} ${unit}`;
}

const spans: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of `24h`, `90s`, `250 ms`, `0`; `undefined` when it is no duration. */
export function readDuration(text: string): number | undefined {
  if (text.trim() === '0') return 0;
  const [, figure, unit] = /^\s*(\d{1,12}(?:\.\d{1,3})?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const span =
    unit !== undefined && Object.hasOwn(spans, unit.toLowerCase()) ? spans[unit.toLowerCase()] : undefined;
  return figure === undefined || span === undefined ? undefined : Math.round(Number(figure) * span);
}

/** `137 ms`, `12.3 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'min', 's');
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, 'h', 'min');
  return pair(Math.round(seconds / 3_600), 24, 'd', 'h');
}

function pair(small: number, inLarge: number, large: string, unit: string): string {
  const rest = small % inLarge;
  return `${String(Math.floor(small / inLarge))} ${large}${rest === 0 ? '' : ` ${String(rest)} ${unit}`}`;
}

/** `0:07`, `12:40`, `1:02:40`: how long something has been going on. */
export function showElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (figure: number): string => String(figure).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0
    ? `${String(hours)}:${two(minutes)}:${two(seconds % 60)}`
    : `${String(minutes)}:${two(seconds % 60)}`;
}

/** `1 move`, `3 moves`. */
export const count = (figure: number, one: string, many = `${one}s`): string =>
  `${figure.toLocaleString('en')} ${figure === 1 ? one : many}`;
