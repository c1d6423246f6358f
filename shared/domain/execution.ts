import type { Failure } from './failure.ts';
import type { Json } from './json.ts';

/** A worker's time-bounded right to try. Whose write counts is decided by the version, not by this. */
export interface Lease {
  readonly owner: string;
  /** Grows by one with every claim; never reused. */
  readonly token: number;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** Why something does not go on right now: on what, since when, and what ends it. */
export interface Waiting {
  readonly code: string;
  readonly on: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** What a step does right now, forward or back. */
interface Working {
  readonly step: string;
  /** Failures reported by this step so far. */
  readonly failures: number;
  /** Hand-overs in a row that brought no progress. */
  readonly idleHandovers: number;
  /** Workers that died on this step without a word since it last made progress. */
  readonly deaths: number;
  /** Since when (epoch ms) something that is nobody's fault has kept this step from going on. */
  readonly hinderedSince?: number;
  /** Epoch milliseconds: not before this. */
  readonly dueAt: number;
  readonly lease?: Lease;
  readonly waiting?: Waiting;
  readonly lastFailure?: Failure;
  /** Where the step left off, as it stored it. */
  readonly progress?: Json;
  /** Milliseconds of work that this step has taken so far, over all its attempts. */
  readonly spentMs: number;
}

export interface WaitingState {
  readonly state: 'waiting';
  readonly waiting: Waiting;
  /** Epoch milliseconds: looked at again then at the latest. */
  readonly dueAt: number;
  /** It is not in line until it is woken: at `dueAt` at the latest, or by a person's word. */
  readonly putOff?: true;
  /** It never stands in line: another piece of work does the same, and the end of that is its own. */
  readonly carried?: true;
}
export interface RunningState extends Working {
  readonly state: 'running';
  /** Set once only forward is possible. */
  readonly forwardOnly: boolean;
  readonly retreats: number;
}
export interface RollingBackState extends Working {
  readonly state: 'rolling-back';
  readonly reason: Failure;
}
export interface CompletedState {
  readonly state: 'completed';
  readonly endedAt: number;
}
export interface RolledBackState {
  readonly state: 'rolled-back';
  readonly endedAt: number;
  readonly reason: Failure;
}
export interface StuckState {
  readonly state: 'stuck';
  readonly endedAt: number;
  readonly step: string;
  /** Which way it was going when it gave up. */
  readonly direction: 'forward' | 'back';
  readonly reason: Failure;
  /** Of what was on its way back: why it was. */
  readonly undoing?: Failure;
}

export type ExecutionState =
  WaitingState | RunningState | RollingBackState | CompletedState | RolledBackState | StuckState;

/** A piece of work on its way through a workflow. What it is about (its subject) stands beside it, not in it. */
export interface Execution {
  /**
   * The name of the workflow's shape, for good: work ends by the shape that it has begun by. A changed order of steps
   * has a name of its own, and a release that does not know a name leaves such work as it is.
   */
  readonly workflow: string;
  /** From 1; a retry of the whole is a new run. */
  readonly run: number;
  /** The highest lease token that was ever given out for it. */
  readonly token: number;
  readonly status: ExecutionState;
  /** What finished steps left for later ones: small values or references to claim checks. */
  readonly results: Readonly<Record<string, Json>>;
  /** Milliseconds that each finished step took. */
  readonly timings: Readonly<Record<string, number>>;
  /** The last thing that happened, for the history; with a person's reason, where one gave it. */
  readonly last: {
    readonly fact: string;
    readonly at: number;
    readonly by: string;
    readonly note?: string;
  };
}

export type StateName = ExecutionState['state'];

export function isTerminal(state: StateName): boolean {
  return state === 'completed' || state === 'rolled-back' || state === 'stuck';
}
