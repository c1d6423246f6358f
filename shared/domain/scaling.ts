import type { HostName } from './ids.ts';

/** Whose permits are scaled: those of one host, the moves that may touch a zone, or all there are. */
export type ScaleTarget =
  | { readonly kind: 'all' }
  | { readonly kind: 'zone'; readonly zone: string }
  | { readonly kind: 'host'; readonly host: HostName };

/**
 * What an alarm is about. `wait`: moves that could go have waited too long for permits; more of them would help.
 * `lag` and `latency`: a host is hurt; fewer would.
 */
export const scaleSignals = ['wait', 'lag', 'latency'] as const;
export type ScaleSignal = (typeof scaleSignals)[number];

/** The permits that are scaled: a host's two sides, or the moves of everything else. */
export type Dial = 'out' | 'in' | 'moves';
export type Dials = Readonly<Partial<Record<Dial, number>>>;

/** How far and how fast. All of it is configuration. */
export interface ScaleBounds {
  /** Never fewer permits than this, … */
  readonly least: number;
  /** … and never more than this, nor than people or the host itself allow. */
  readonly most: number;
  /** Permits that are added in one step while moves wait too long; as many are taken in a step on the way down. */
  readonly gradient: number;
  /** Between two steps in one direction, in milliseconds. */
  readonly stepMs: number;
  /** How long nothing must have been added, nor anything hurt, before the next step the other way. */
  readonly cooldownMs: number;
}

export interface ScaleDecision {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly direction: 'out' | 'in';
  readonly from: Dials;
  readonly to: Dials;
  /** Completes "because …". */
  readonly reason: string;
}

/** What is known of one target: the record of its autoscaler. */
export interface Scaler {
  /** `all`, `zone/<zone>` or `host/<host>`. */
  readonly target: string;
  /** The permits that it has decided on; absent: as many as there are. */
  readonly dials: Dials;
  /** The newest state of each alarm that was ever heard of it, by its own time (epoch ms). */
  readonly alarms: Readonly<Partial<Record<ScaleSignal, HeardAlarm>>>;
  readonly watch: Watch;
  /** The last ones, newest first. */
  readonly decisions: readonly ScaleDecision[];
  readonly lastOutAt?: number;
  readonly lastInAt?: number;
  readonly version: number;
}

/** The most that was in use at once: since a time, and in the cool-down before that, once there was one. */
export interface Watch {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly peak: number;
  readonly before?: number;
}

export interface HeardAlarm {
  readonly state: 'alarm' | 'ok';
  readonly at: number;
  /** The alarm's name. */
  readonly name: string;
}

/** What a target looks like just now. */
export interface ScaleScene {
  readonly now: number;
  /** As many as there could be without an autoscaler. */
  readonly ceiling: Dials;
  readonly inUse: number;
  /** Other reports that it is hurt, in words; empty: none. */
  readonly strained: readonly string[];
}

/** How many decisions a record keeps. */
export const keptDecisions = 20;

export const writeTarget = (target: ScaleTarget): string =>
  target.kind === 'all' ? 'all' : `${target.kind}/${target.kind === 'zone' ? target.zone : target.host}`;

export const freshScaler = (target: ScaleTarget, now: number): Scaler => ({
  target: writeTarget(target),
  dials: {},
  alarms: {},
  watch: { from: now, peak: 0 },
  decisions: [],
  version: 1,
});

/**
 * Notes an alarm's news.
 * @returns undefined when it is older than what is known of this alarm, or the same
 */
export function hearAlarm(scaler: Scaler, signal: ScaleSignal, heard: HeardAlarm): Scaler | undefined {
  const known = scaler.alarms[signal];
  if (known !== undefined && known.at >= heard.at) return undefined;
  return { ...scaler, alarms: { ...scaler.alarms, [signal]: heard } };
}

/**
 * The law, one step of it. Asked every minute, and when an alarm changes.
 *
 * - Hurt: half of the permits, at once and with every step, down to the least. Nothing delays this.
 * - Waiting too long: the gradient more with every step while the alarm lasts, up to the ceiling.
 * - Quiet for the cool-down, a host gets its permits back one by one; of anything else the gradient is taken when
 *   twice as much has lain idle for all that time, so that what is taken is not missed before the next cool-down.
 */
export function scale(scaler: Scaler, bounds: ScaleBounds, scene: ScaleScene): Scaler {
  const seen: Scaler = {
    ...scaler,
    watch: isHost(scaler) ? scaler.watch : watchOn(scaler.watch, bounds, scene),
  };
  const current = dialsIn(seen, bounds, scene);
  const step = stepOf(seen, bounds, scene, current);
  if (step === undefined || same(step.to, current)) return seen;
  const { now } = scene;
  const decision: ScaleDecision = { at: now, from: current, ...step };
  return {
    ...seen,
    dials: step.to,
    decisions: [decision, ...seen.decisions].slice(0, keptDecisions),
    ...(step.direction === 'out' ? { lastOutAt: now } : { lastInAt: now }),
  };
}

/** The permits in effect: never more than there are, whatever was decided when there were more. */
export function dialsIn(
  { dials }: Scaler,
  bounds: ScaleBounds,
  { ceiling }: Pick<ScaleScene, 'ceiling'>,
): Dials {
  return mapDials(ceiling, (most, dial) => Math.min(dials[dial] ?? most, most, bounds.most));
}

type Step = Pick<ScaleDecision, 'direction' | 'to' | 'reason'>;

function stepOf(scaler: Scaler, bounds: ScaleBounds, scene: ScaleScene, current: Dials): Step | undefined {
  const { now, ceiling } = scene;
  const sinceOut = now - (scaler.lastOutAt ?? -Infinity);
  const sinceIn = now - (scaler.lastInAt ?? -Infinity);
  const up = (by: number): Dials =>
    mapDials(current, (value, dial) => Math.min(value + by, ceiling[dial] ?? value, bounds.most));
  const down = (lower: (value: number) => number): Dials =>
    mapDials(current, (value) => Math.min(value, Math.max(bounds.least, lower(value))));

  const hurts = hurtsOf(scaler, scene);
  if (hurts.length > 0) {
    if (sinceIn < bounds.stepMs) return undefined;
    return { direction: 'in', to: down((value) => Math.floor(value / 2)), reason: hurts.join('; ') };
  }
  const wait = scaler.alarms.wait;
  const isQuiet = now - lastHurtAt(scaler) >= bounds.cooldownMs;
  if (wait?.state === 'alarm') {
    if (sinceOut < bounds.stepMs || (isHost(scaler) && !isQuiet)) return undefined;
    return { direction: 'out', to: up(bounds.gradient), reason: `moves wait too long: ${wait.name}` };
  }
  if (isHost(scaler)) {
    if (!isQuiet || sinceIn < bounds.cooldownMs || sinceOut < bounds.stepMs) return undefined;
    return { direction: 'out', to: up(1), reason: 'nothing has hurt it for the cool-down' };
  }
  const { peak, before } = scaler.watch;
  if (before === undefined) return undefined;
  if (Math.min(sinceOut, sinceIn, now - (wait?.at ?? -Infinity)) < bounds.cooldownMs) return undefined;
  const used = Math.max(peak, before);
  if (Math.min(...Object.values(current)) - used < 2 * bounds.gradient) return undefined;
  return {
    direction: 'in',
    to: down((value) => value - bounds.gradient),
    reason: `no more than ${String(used)} have been in use at once for the cool-down`,
  };
}

const isHost = ({ target }: Scaler): boolean => target.startsWith('host/');

function watchOn(
  { from, peak, before }: Watch,
  { cooldownMs }: ScaleBounds,
  { now, inUse }: ScaleScene,
): Watch {
  if (now - from >= cooldownMs) return { from: now, peak: inUse, before: peak };
  return { from, peak: Math.max(peak, inUse), ...(before === undefined ? {} : { before }) };
}

function hurtsOf({ alarms }: Scaler, { strained }: ScaleScene): readonly string[] {
  return [
    ...(['lag', 'latency'] as const).flatMap((signal) => {
      const heard = alarms[signal];
      return heard?.state === 'alarm' ? [`its ${signal} is too high: ${heard.name}`] : [];
    }),
    ...strained,
  ];
}

/** When the last of its hurts ended, as far as alarms have said so. */
const lastHurtAt = ({ alarms }: Scaler): number =>
  Math.max(alarms.lag?.at ?? -Infinity, alarms.latency?.at ?? -Infinity);

function mapDials(dials: Dials, change: (value: number, dial: Dial) => number): Dials {
  const mapped: Partial<Record<Dial, number>> = {};
  for (const dial of ['out', 'in', 'moves'] as const) {
    const value = dials[dial];
    if (value !== undefined) mapped[dial] = change(value, dial);
  }
  return mapped;
}

const same = (one: Dials, other: Dials): boolean =>
  one.out === other.out && one.in === other.in && one.moves === other.moves;
