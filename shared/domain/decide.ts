import type { Execution, StateName } from './execution.ts';
import type { Fact, FactKind, FactOf } from './fact.ts';
import {
  own,
  rollBack,
  unbegun,
  withProgress,
  type Effect,
  type IgnoredBecause,
  type Outcome,
  type Scene,
  type StateOf,
} from './transition.ts';
import {
  abandon,
  backInLine,
  begin,
  claim,
  endCarried,
  extendLease,
  failBack,
  failForward,
  finishStep,
  finishUndo,
  goForward,
  handOver,
  hinder,
  poison,
  putOff,
  retreat,
  setBack,
  tryAgain,
  wait,
  wake,
} from './transitions.ts';
import { isOf, type WorkflowShape } from './workflow-shape.ts';

export type Decision =
  | { readonly kind: 'next'; readonly execution: Execution; readonly effects: readonly Effect[] }
  /** The fact changes nothing: a repeat, a latecomer, or not this worker's to say. */
  | { readonly kind: 'ignored'; readonly why: IgnoredBecause };

type Transition<N extends StateName, K extends FactKind> = (scene: Scene<StateOf<N>, FactOf<K>>) => Outcome;
type Row<N extends StateName> = { readonly [K in FactKind]: Transition<N, K> };

/**
 * The whole life of a piece of work: every state against every fact. A new state or fact does not compile
 * until it has its row or column here.
 */
const transitions: { readonly [N in StateName]: Row<N> } = {
  waiting: {
    admitted: begin,
    'set-back': () => 'not-admitted',
    claimed: () => 'not-admitted',
    'lease-extended': () => 'not-admitted',
    progressed: () => 'not-admitted',
    'step-finished': () => 'not-admitted',
    'step-waited': () => 'not-admitted',
    'handed-over': () => 'not-admitted',
    'step-failed': () => 'not-admitted',
    'step-hindered': () => 'not-admitted',
    retreated: () => 'not-admitted',
    'undo-refused': () => 'not-admitted',
    poisoned: (scene) => poison({ ...scene, status: unbegun(scene.shape, scene.now) }),
    'put-off': putOff,
    woken: backInLine,
    'carrier-ended': endCarried,
    retried: () => 'not-applicable',
    abandoned: abandon,
  },
  running: {
    admitted: () => 'already-admitted',
    'set-back': setBack,
    claimed: claim,
    'lease-extended': extendLease,
    progressed: (scene) =>
      own(scene, (held) => ({
        status: {
          ...withProgress(held, scene.fact.progress),
          forwardOnly: scene.status.forwardOnly || scene.fact.forwardOnly === true,
        },
      })),
    'step-finished': finishStep,
    'step-waited': wait,
    'handed-over': handOver,
    'step-failed': failForward,
    'step-hindered': hinder,
    retreated: retreat,
    'undo-refused': () => 'not-applicable',
    poisoned: poison,
    'put-off': () => 'already-admitted',
    woken: wake,
    'carrier-ended': () => 'not-applicable',
    retried: () => 'not-applicable',
    abandoned: ({ shape, status, fact, now }) =>
      status.forwardOnly ? 'past-the-pivot' : rollBack(shape, status, fact.failure, now),
  },
  'rolling-back': {
    admitted: () => 'already-admitted',
    'set-back': () => 'not-applicable',
    claimed: claim,
    'lease-extended': extendLease,
    progressed: (scene) => own(scene, (held) => ({ status: withProgress(held, scene.fact.progress) })),
    'step-finished': finishUndo,
    'step-waited': wait,
    'handed-over': handOver,
    'step-failed': failBack,
    'step-hindered': hinder,
    retreated: () => 'not-applicable',
    'undo-refused': goForward,
    poisoned: poison,
    'put-off': () => 'already-admitted',
    woken: wake,
    'carrier-ended': () => 'not-applicable',
    retried: () => 'not-applicable',
    abandoned: () => 'not-applicable',
  },
  completed: terminal(),
  'rolled-back': terminal(),
  // What gave up goes on only when a person says so.
  stuck: { ...terminal(), retried: tryAgain },
};

/**
 * What a fact makes of a piece of work, at `now` (epoch milliseconds). Pure and total.
 *
 * @param by who reports the fact, for the history
 */
export function decide(
  shape: WorkflowShape,
  execution: Execution,
  fact: Fact,
  now: number,
  by: string,
): Decision {
  const outcome = isOf(shape, execution) ? look(shape, execution, fact, now) : 'workflow-unknown';
  if (typeof outcome === 'string') return { kind: 'ignored', why: outcome };
  return {
    kind: 'next',
    execution: {
      ...execution,
      ...outcome.patch,
      status: outcome.status,
      last: { fact: fact.kind, at: now, by, ...('note' in fact ? { note: fact.note } : {}) },
    },
    effects: outcome.effects ?? [],
  };
}

/** The table, addressed so that state and fact keep their own types. */
function look(shape: WorkflowShape, execution: Execution, fact: Fact, now: number): Outcome {
  const { status } = execution;
  return at(status.state, fact.kind, status, fact);

  function at<N extends StateName, K extends FactKind>(
    state: N,
    kind: K,
    of: StateOf<N>,
    told: FactOf<K>,
  ): Outcome {
    const row: Row<N> = transitions[state];
    const transition: Transition<N, K> = row[kind];
    return transition({ shape, execution, status: of, fact: told, now });
  }
}

function terminal(): { readonly [K in FactKind]: () => Outcome } {
  const ended = (): Outcome => 'ended';
  return {
    admitted: ended,
    'set-back': ended,
    claimed: ended,
    'lease-extended': ended,
    progressed: ended,
    'step-finished': ended,
    'step-waited': ended,
    'handed-over': ended,
    'step-failed': ended,
    'step-hindered': ended,
    retreated: ended,
    'undo-refused': ended,
    'put-off': ended,
    woken: ended,
    'carrier-ended': ended,
    retried: ended,
    poisoned: ended,
    abandoned: ended,
  };
}
