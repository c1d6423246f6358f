/** When a batch may begin moves and cut them over: from each time of a cron expression on, for a while. */
export interface MaintenanceWindow {
  /** Minute, hour, day of month, month, day of week. */
  readonly cron: string;
  readonly durationMs: number;
  /** By whose clock: `Europe/Berlin`, `UTC`. */
  readonly timeZone: string;
}

/** How a window stands at one moment. Epoch milliseconds. */
export interface WindowTimes {
  /** Since when it has been open; absent: it is closed. */
  readonly openSince?: number;
  /** When it closes, while it is open. */
  readonly closesAt?: number;
  /** When it opens next; absent: never again. */
  readonly opensAt?: number;
}

/** What a move is known to need, until its like have been measured: so long in any case, … */
const fixedMs = 60_000;
/** … and for its data, at so many bytes a second. */
const bytesPerSecond = 10_000_000;
/** No move is done in less: a window that is shorter is refused. */
export const leastWindowMs = fixedMs;

/** A move that has arrived: what it held, and how long it took. */
export interface Taken {
  readonly bytes: number;
  readonly ms: number;
}

const fewMeasured = 3;

/**
 * How long (ms) a move of so many bytes needs up to its cutover, on the careful side: of those that were measured, the
 * slow ones count. Before there are any, a minute and ten megabytes a second.
 */
export function neededMs(bytes: number, measured: readonly Taken[]): number {
  const rates = measured
    .flatMap(({ bytes: held, ms }) => (ms > fixedMs ? [(held / (ms - fixedMs)) * 1_000] : []))
    .sort((one, other) => one - other);
  const slow = rates.length < fewMeasured ? undefined : rates[Math.floor(rates.length / 5)];
  return Math.ceil(fixedMs + (bytes / Math.max(1, slow ?? bytesPerSecond)) * 1_000);
}
