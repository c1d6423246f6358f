import type { Hold, Pausable } from './pause.ts';

/** What operators turn while everything runs. Read anew by whoever decides by them, so that a change counts at once. */
export interface Knobs {
  /** Moves under way at once: in all, with one zone at either end, and of one batch. */
  readonly movesInAll: number;
  readonly movesPerZone: number;
  readonly movesPerBatch: number;
  /** Moves that may begin in one minute. */
  readonly startsPerMinute: number;
  /** No batch may pause its writers longer, whatever its policy says; absent: what the policy says stands. */
  readonly pauseBudgetMs?: number;
  /** Are endpoints moved off a failed host without a person asking for it? */
  readonly healing: 'on' | 'off';
  /** A host has to be failed for so long before healing begins. */
  readonly graceMs: number;
}
export type KnobName = keyof Knobs;

export const knobDefaults = {
  movesInAll: 200,
  movesPerZone: 100,
  movesPerBatch: 100,
  startsPerMinute: 600,
  healing: 'on',
  graceMs: 60_000,
} as const satisfies Knobs;

/** What each knob does, in the words in which `dray knob` shows it. */
export const knobMeanings: Readonly<Record<KnobName, string>> = {
  movesInAll: 'moves under way at once, in all',
  movesPerZone: 'moves under way at once, with one zone at either end',
  movesPerBatch: 'moves under way at once, of one batch',
  startsPerMinute: 'moves that may begin in one minute',
  pauseBudgetMs: 'the longest pause of writers (ms) that any policy may allow',
  healing: 'whether endpoints leave a failed host by themselves',
  graceMs: 'how long (ms) a host must be failed before they do',
};

export const knobNames: readonly KnobName[] = [
  'movesInAll',
  'movesPerZone',
  'movesPerBatch',
  'startsPerMinute',
  'pauseBudgetMs',
  'healing',
  'graceMs',
];

/** Moves that may be under way at once for the time being. */
export interface FleetThrottle {
  readonly all?: number;
  readonly zones: Readonly<Record<string, number>>;
}

/** The one record of an installation that is about all of it; while it is paused, nothing begins or cuts over anywhere. */
export interface Fleet extends Pausable {
  readonly knobs: Knobs;
  /** Who turned each knob last, when and why; absent: it was never turned. */
  readonly turned: Readonly<Partial<Record<KnobName, Hold>>>;
  /** Fewer moves than the knobs allow, while the autoscaler finds that fewer will do. */
  readonly throttle?: FleetThrottle;
  readonly version: number;
}

/** An installation in which nobody has set anything yet. */
export const freshFleet: Fleet = { knobs: knobDefaults, turned: {}, version: 1 };

/** A knob and what it is to be; without a value it goes back to its default. */
export type KnobSetting = {
  readonly [K in KnobName]: { readonly knob: K; readonly value?: Exclude<Knobs[K], undefined> };
}[KnobName];

/**
 * The fleet with a knob turned. Of two turns the later one stands, whichever arrives first.
 * @returns undefined when the knob was turned later than this already
 */
export function turn(fleet: Fleet, { knob, value }: KnobSetting, by: Hold): Fleet | undefined {
  const last = fleet.turned[knob];
  if (last !== undefined && last.at > by.at) return undefined;
  const { [knob]: _, ...others } = fleet.knobs;
  const { [knob]: byDefault }: Knobs = knobDefaults;
  const set = value ?? byDefault;
  return {
    ...fleet,
    knobs: { ...knobDefaults, ...others, ...(set === undefined ? {} : { [knob]: set }) },
    turned: { ...fleet.turned, [knob]: by },
  };
}
