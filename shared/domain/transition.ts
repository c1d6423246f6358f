import type { Execution, ExecutionState, RollingBackState, RunningState, StateName } from './execution.ts';
import type { Fact } from './fact.ts';
import type { Failure } from './failure.ts';
import type { Json } from './json.ts';
import { firstStep, phaseOf, type WorkflowShape } from './workflow-shape.ts';

/** What the shell must do once the new state is committed. */
export interface Effect {
  readonly kind: 'send-work';
  readonly phase: string;
  readonly afterMs: number;
}

/** Why a fact changes nothing. */
export type IgnoredBecause =
  | 'ended'
  | 'not-admitted'
  | 'already-admitted'
  | 'held'
  | 'early'
  | 'superseded'
  | 'past-the-pivot'
  /** Another release has made it, by a workflow that this one does not know. */
  | 'workflow-unknown'
  | 'not-applicable';

/** All that a transition may look at. */
export interface Scene<S extends ExecutionState, F extends Fact> {
  readonly shape: WorkflowShape;
  readonly execution: Execution;
  readonly status: S;
  readonly fact: F;
  readonly now: number;
}

export type StateOf<N extends StateName> = Extract<ExecutionState, { readonly state: N }>;
export type Outcome =
  | {
      readonly status: ExecutionState;
      readonly effects?: readonly Effect[];
      readonly patch?: Partial<Execution>;
    }
  | IgnoredBecause;
export type Working = RunningState | RollingBackState;

export const fresh = { failures: 0, idleHandovers: 0, deaths: 0, spentMs: 0 } as const;

/** Runs `then` only for the worker that holds the newest token. An expired lease that nobody took is still its. */
export function own<S extends Working>(
  scene: Scene<S, Fact & { readonly token: number }>,
  then: (held: S) => Outcome,
): Outcome {
  return scene.status.lease?.token === scene.fact.token ? then(scene.status) : 'superseded';
}

export function withProgress<S extends Working>(status: S, progress: Json | undefined): S {
  return progress === undefined
    ? status
    : { ...without(status, 'hinderedSince'), progress, deaths: 0, idleHandovers: 0 };
}

/** Work of which nothing has been done: what planning took is given back by the undo of the first step. */
export function unbegun(shape: WorkflowShape, now: number): RunningState {
  return {
    state: 'running',
    step: firstStep(shape).name,
    ...fresh,
    dueAt: now,
    forwardOnly: false,
    retreats: 0,
  };
}

/** Nothing more is tried this way: before the pivot the work is undone, after it or in an undo a person is called. */
export function giveUp(shape: WorkflowShape, status: Working, failure: Failure, now: number): Outcome {
  if (status.state === 'running' && !status.forwardOnly) return rollBack(shape, status, failure, now);
  return {
    status: {
      state: 'stuck',
      endedAt: now,
      step: status.step,
      direction: status.state === 'running' ? 'forward' : 'back',
      reason: failure,
      ...(status.state === 'running' ? {} : { undoing: status.reason }),
    },
  };
}

/** Gives up because the same would come again: nothing plans it anew by itself. */
export function quarantine(shape: WorkflowShape, status: Working, failure: Failure, now: number): Outcome {
  return giveUp(shape, status, { ...failure, quarantined: true }, now);
}

/** A lease that is still held stays: the undo begins when its holder has let go or has run out of time. */
export function rollBack(shape: WorkflowShape, status: RunningState, reason: Failure, now: number): Outcome {
  return {
    status: {
      state: 'rolling-back',
      step: status.step,
      ...fresh,
      dueAt: now,
      reason,
      ...(status.lease === undefined ? {} : { lease: status.lease }),
      ...(status.progress === undefined ? {} : { progress: status.progress }),
    },
    effects: [{ kind: 'send-work', phase: shape.rollbackPhase, afterMs: 0 }],
  };
}

/** A copy without some of what may be absent. */
export function without<S extends Working>(
  status: S,
  ...keys: readonly ('lease' | 'waiting' | 'hinderedSince')[]
): S {
  const copy = { ...status };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}

/** Lets go of the lease and goes on after a while. */
export function later(
  scene: Scene<Working, Fact>,
  status: Working,
  afterMs: number,
  ms: number,
  extra: Pick<Partial<Working>, 'waiting'> = {},
): Outcome {
  const phase = status.state === 'running' ? phaseOf(scene.shape, status.step) : scene.shape.rollbackPhase;
  return {
    status: {
      ...without(status, 'lease', 'waiting'),
      ...extra,
      dueAt: scene.now + afterMs,
      spentMs: status.spentMs + ms,
    },
    effects: [{ kind: 'send-work', phase, afterMs }],
  };
}

/** Exponential, capped, with full spread over its upper half. @param chance in [0, 1) */
export function backoff(shape: WorkflowShape, nth: number, chance: number): number {
  const { backoffMs, backoffCapMs } = shape.limits;
  return Math.round(Math.min(backoffCapMs, backoffMs * 2 ** (nth - 1)) * (0.5 + chance / 2));
}
