/** `failed`: nothing new arrives, and after a while what is there is moved away. `strained`: fewer moves at once. */
export type SignalKind = 'failed' | 'strained';

/** Something that is wrong with a host, for as long as nobody has said that it is over. Times in epoch milliseconds. */
export interface Signal {
  readonly kind: SignalKind;
  /** The first word of it since it was last said to be over, … */
  readonly since: number;
  /** … and the latest. */
  readonly at: number;
  /** Words in between: a late word that it was over falls between the right two of them. */
  readonly between?: readonly number[];
  /** What the latest word said of it. */
  readonly reason?: string;
}

/**
 * How a host is, apart from what people want of it. Each signal is compared by its own time alone, so that words
 * count the same in whichever order, and however often, they arrive.
 */
export interface Health {
  /** What is wrong, by the name of the signal; healthy = none. */
  readonly signals: Readonly<Record<string, Signal>>;
  /** When each signal was last said to be over. */
  readonly cleared: Readonly<Record<string, number>>;
}

export const healthy: Health = { signals: {}, cleared: {} };

/** A word that something is wrong. */
export interface Word {
  readonly signal: string;
  readonly kind: SignalKind;
  readonly at: number;
  readonly reason?: string;
}

/** They stand in the host's row, which is written with every permit. */
export const mostSignals = 16;
const mostCleared = 32;
const mostBetween = 6;

/** @returns the same object when nothing changes; `full` when more is wrong than a row has room for */
export function raised(health: Health, word: Word): Health | 'full' {
  const { signal: name, at } = word;
  const open = health.signals[name];
  // Of a word for and a word against of one moment the one that something is wrong counts.
  if (at < (health.cleared[name] ?? -Infinity)) return health;
  if (open === undefined && Object.keys(health.signals).length >= mostSignals) return 'full';
  if (open !== undefined && timesOf(open).includes(at) && !isLater(word, open)) return health;
  const times = [...new Set([...(open === undefined ? [] : timesOf(open)), at])].sort(byTime);
  const latest: Said = open === undefined || isLater(word, open) ? word : open;
  const signal = signalOf(latest, times);
  return signal === undefined ? health : { ...health, signals: { ...health.signals, [name]: signal } };
}

/** A word that a signal was over then. @returns the same object when nothing changes */
export function lowered(health: Health, name: string, at: number): Health {
  if (at <= (health.cleared[name] ?? -Infinity)) return health;
  const { [name]: open, ...others } = health.signals;
  const cleared = newest({ ...health.cleared, [name]: at });
  if (open === undefined) return { ...health, cleared };
  const signal = signalOf(
    open,
    timesOf(open).filter((time) => time >= at),
  );
  return { signals: signal === undefined ? others : { ...others, [name]: signal }, cleared };
}

/** Since when the host has failed, by the oldest of what is wrong; undefined: it has not. */
export function failedSince({ signals }: Pick<Health, 'signals'>): number | undefined {
  const times = Object.values(signals).flatMap(({ kind, since }) => (kind === 'failed' ? [since] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The names of the signals by which a host has failed. */
export function failures({ signals }: Pick<Health, 'signals'>): string[] {
  return Object.entries(signals).flatMap(([name, { kind }]) => (kind === 'failed' ? [name] : []));
}

type Said = Pick<Signal, 'kind' | 'at' | 'reason'>;

const timesOf = ({ since, between = [], at }: Signal): readonly number[] => [since, ...between, at];
const byTime = (one: number, other: number): number => one - other;

/** Two words of one moment are put in an order that does not depend on which came first. */
function isLater(one: Said, other: Said): boolean {
  if (one.at !== other.at) return one.at > other.at;
  if (one.kind !== other.kind) return one.kind === 'failed';
  return (one.reason ?? '') > (other.reason ?? '');
}

function signalOf({ kind, reason }: Said, times: readonly number[]): Signal | undefined {
  const [since] = times;
  const at = times.at(-1);
  if (since === undefined || at === undefined) return undefined;
  const between = times.slice(1, -1).slice(-mostBetween);
  return {
    kind,
    since,
    at,
    ...(between.length === 0 ? {} : { between }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function newest(cleared: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const entries = Object.entries(cleared);
  if (entries.length <= mostCleared) return cleared;
  return Object.fromEntries(
    entries.sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)).slice(0, mostCleared),
  );
}
