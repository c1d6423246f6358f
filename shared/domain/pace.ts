import type { BatchId, HostName, MoveId } from './ids.ts';

/** What the dispatcher has given out of late: how fast moves begin, and what does not show on hosts yet. */
export interface Pace {
  /** The minute (epoch milliseconds of its begin) that `starts` are of. */
  readonly minute: number;
  readonly starts: number;
  readonly granted: readonly Granted[];
  readonly version: number;
}

/** A move that was chosen; its permits are being taken. */
export interface Granted {
  readonly id: MoveId;
  readonly batch: BatchId;
  readonly source: HostName;
  readonly target: HostName;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const freshPace: Pace = { minute: 0, starts: 0, granted: [], version: 1 };

const minuteMs = 60_000;
/** No dispatcher lives longer: what it has not taken by then it never will. */
const longestLookMs = minuteMs;

/** How many moves may still begin in this minute. */
export function startsLeft({ minute, starts }: Pace, perMinute: number, now: number): number {
  return Math.max(0, perMinute - (now - minute < minuteMs ? starts : 0));
}

/** When the next minute begins in which moves may. */
export const nextMinute = ({ minute }: Pace, now: number): number => Math.max(now, minute + minuteMs);

/** What was chosen by looks that may still be taking the permits for it. */
export const stillGranted = ({ granted }: Pace, now: number): readonly Granted[] =>
  granted.filter(({ at }) => now - at < longestLookMs);

/** @param earlier what of before is still to be kept in mind */
export function withStarts(
  pace: Pace,
  chosen: readonly Granted[],
  earlier: readonly Granted[],
  now: number,
): Pace {
  const goesOn = now - pace.minute < minuteMs;
  return {
    ...pace,
    minute: goesOn ? pace.minute : now,
    starts: (goesOn ? pace.starts : 0) + chosen.length,
    granted: [...earlier, ...chosen],
  };
}
