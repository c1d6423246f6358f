import type { Failure } from '../failure.ts';
import type { EndpointName, HostName } from '../ids.ts';
import type { Rule } from './rules.ts';
import type { Seat } from './snapshot.ts';

/** One move of a plan. */
export interface PlannedMove {
  readonly seat: Seat;
  readonly target: HostName;
  /** Why there, in a sentence. */
  readonly why: string;
}

/** A rule, and the hosts that it stops. */
export interface Stop {
  readonly rule: Rule;
  readonly hosts: number;
  /** The first few of them, by name. */
  readonly examples: readonly HostName[];
}

/** An endpoint that was asked for and has nowhere to go. */
export interface Unplaced {
  readonly seat: Seat;
  readonly failure: Failure;
  /** What stops which hosts, most first; empty where it is the endpoint itself that stays. */
  readonly stops: readonly Stop[];
}

/**
 * What is to be moved where. Its moves may be made in any order, and any of them left out: none needs the room that
 * another makes. Taken in this order, the fleet is after each no worse than before it.
 */
export interface Plan {
  readonly moves: readonly PlannedMove[];
  readonly unplaced: readonly Unplaced[];
  /** Asked for by name, and not there. */
  readonly unknown: readonly EndpointName[];
  /** What was asked for and is not reached, and why. */
  readonly unmet?: Failure;
}
