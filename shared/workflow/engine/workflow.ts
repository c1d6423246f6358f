import type { Execution } from '../../domain/execution.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { TracePlace } from '../../domain/trace.ts';
import type { WorkflowShape } from '../../domain/workflow-shape.ts';
import type { StepEnd } from '../../ports/driver.ts';
import type { Log } from '../../ports/log.ts';
import type { Committed } from '../../ports/store.ts';

/** A record that goes through a workflow. */
export interface Task {
  readonly id: string;
  readonly execution: Execution;
  readonly version: number;
}

/** Where tasks of one kind are kept. */
export interface Tasks<T extends Task> {
  load(id: string): Promise<T | undefined>;
  commit(before: T, after: T): Promise<Committed<T>>;
}

/** What a step sees of the engine. */
export interface Hand<T extends Task> {
  /** As it stood when the step began. */
  readonly task: T;
  /** The token of this worker's lease: newer than that of every worker before it. */
  readonly token: number;
  /** What the step stored when it last stopped. */
  readonly progress: Json | undefined;
  /** Aborted when the lease is lost: stop at once, start nothing. */
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** Each line says by itself which work it is about, in which step and attempt. */
  readonly log: Log;
  /** What to show of a step that works long: stored with the next extension of the lease. */
  readonly show: (progress: Json) => void;
  /** Stores progress now; with `forwardOnly`, also that there is no way back any more. */
  readonly note: (news: { readonly progress?: Json; readonly forwardOnly?: true }) => Promise<void>;
}

/**
 * How a step ended, beside what it throws (`StepFailure`).
 * `retreat`: what was built on is gone; undo back to `to` and go on from there.
 */
export type StepOutcome =
  StepEnd | { readonly kind: 'retreat'; readonly to: string; readonly failure: Failure };

/** `refused`: too late to undo; the work goes forward at `step`. */
export type UndoOutcome = StepEnd | { readonly kind: 'refused'; readonly step: string };

/**
 * One step. `run` and `undo` are idempotent: a worker may die at any point, and the next one calls them again.
 */
export interface Step<T extends Task, Session> {
  /** Absent where only its undo is known: in a function that goes back. */
  readonly run?: (session: Session, hand: Hand<T>) => Promise<StepOutcome>;
  readonly undo?: (session: Session, hand: Hand<T>) => Promise<UndoOutcome>;
  /** Asked when an earlier worker may have gone further than is recorded: true skips `run`. */
  readonly isDone?: (session: Session, hand: Hand<T>) => Promise<boolean>;
}

export interface Workflow<T extends Task, Session> {
  readonly shape: WorkflowShape;
  /** At least those of the phase that is worked on, and those that they send the work back to. */
  readonly steps: Readonly<Record<string, Step<T, Session>>>;
  readonly tasks: Tasks<T>;
  /** By what people know a task: stands in each line that is logged about it. */
  readonly about: (task: T) => Readonly<Record<string, string>>;
  /** What all work on a task is a part of. */
  readonly placeOf: (task: T) => TracePlace;
  /** What the steps of one invocation share, e.g. open connections. */
  readonly open: (hand: Hand<T>) => Promise<Session>;
  /** Never throws. */
  readonly close: (session: Session) => Promise<void>;
}
