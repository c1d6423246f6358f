import type { AlarmRules } from '../domain/alarm.ts';
import type { ScaleBounds, ScaleTarget } from '../domain/scaling.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Bus } from '../ports/bus.ts';
import type { Calendar } from '../ports/calendar.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { HostDriver } from '../ports/driver.ts';
import type { Log } from '../ports/log.ts';
import type { Meter } from '../ports/meter.ts';
import type { HostNetworks } from '../ports/networks.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Journal, Permits, Store, Views } from '../ports/store.ts';
import type { Tracer } from '../ports/tracer.ts';

/** What one deployed stage is set to. */
export interface Settings {
  /** Stands in every name that we create on hosts: at most 12 of [a-z0-9]. */
  readonly installation: string;
  /** How long a worker of each phase may be silent before it is taken over, in milliseconds. */
  readonly leaseMs: Readonly<Record<string, number>>;
  /** A freeze is put off when the arbiter's row answers slower than this. */
  readonly slowStoreMs: number;
  /** How long a host may be down before a move that waits on it is undone, where it still can be. */
  readonly patienceMs: number;
  /** A verification older than this is done again before the freeze. */
  readonly freshMs: number;
  /** How long copies are kept on a failed host that was emptied by itself; absent: a day. */
  readonly healingRetentionMs?: number;
  /** How alarms of CloudWatch are read; absent: by the defaults. */
  readonly alarms?: AlarmRules;
  /** Where hosts may be. */
  readonly hostNetworks: HostNetworks;
  /** How far and how fast permits are scaled. */
  readonly scaling: Readonly<Record<ScaleTarget['kind'], ScaleBounds>>;
}

/** Every side effect there is. A function names its slice of it, so that its signature lists what it can do. */
export interface Services {
  readonly store: Store;
  readonly permits: Permits;
  readonly views: Views;
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly bus: Bus;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly chance: Chance;
  readonly log: Log;
  readonly meter: Meter;
  readonly tracer: Tracer;
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<HostDriver>;
  readonly settings: Settings;
}

/** One call of a function by its platform. */
export interface Invocation {
  /** Names the worker in leases and histories. */
  readonly owner: string;
  /** Milliseconds until work must be at a safe point; the margin is already taken off. */
  readonly remainingMs: () => number;
}
