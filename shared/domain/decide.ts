import type { Execution, ExecutionState, RollingBackState, RunningState, StateName } from './execution.ts';
import type { Fact, FactKind, FactOf } from './fact.ts';
import type { Failure } from './failure.ts';
import type { Json } from './json.ts';
import {
  firstStep,
  phaseOf,
  stepAfter,
  stepBefore,
  stepIndex,
  type WorkflowShape,
} from './workflow-shape.ts';

/** What the shell must do once the new state is committed. */
export type Effect = {
  readonly kind: 'send-work';
  readonly phase: string;
  readonly afterMs: number;
};

export type Decision =
  | { readonly kind: 'next'; readonly execution: Execution; readonly effects: readonly Effect[] }
  /** The fact changes nothing: a repeat, a latecomer, or not this worker's to say. */
  | { readonly kind: 'ignored'; readonly why: IgnoredBecause };

export type IgnoredBecause =
  | 'ended'
  | 'not-admitted'
  | 'already-admitted'
  | 'held'
  | 'early'
  | 'superseded'
  | 'past-the-pivot'
  | 'not-applicable';

interface Scene<S extends ExecutionState, F extends Fact> {
  readonly shape: WorkflowShape;
  readonly execution: Execution;
  readonly status: S;
  readonly fact: F;
  readonly now: number;
}

type StateOf<N extends StateName> = Extract<ExecutionState, { readonly state: N }>;
type Outcome =
  | {
      readonly status: ExecutionState;
      readonly effects?: readonly Effect[];
      readonly patch?: Partial<Execution>;
    }
  | IgnoredBecause;
type Transition<N extends StateName, K extends FactKind> = (scene: Scene<StateOf<N>, FactOf<K>>) => Outcome;
type Row<N extends StateName> = { readonly [K in FactKind]: Transition<N, K> };
type Working = RunningState | RollingBackState;

/**
 * The whole life of a piece of work: every state against every fact. A new state or fact does not compile
 * until it has its row or column here.
 */
const transitions: { readonly [N in StateName]: Row<N> } = {
  waiting: {
    admitted: begin,
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
    // What planning took is given back by the undo of the first step.
    abandoned: ({ shape, fact, now }) =>
      rollBack(
        shape,
        {
          state: 'running',
          step: firstStep(shape).name,
          ...fresh,
          dueAt: now,
          forwardOnly: false,
          retreats: 0,
        },
        fact.failure,
        now,
      ),
  },
  running: {
    admitted: () => 'already-admitted',
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
    abandoned: ({ shape, status, fact, now }) =>
      status.forwardOnly ? 'past-the-pivot' : rollBack(shape, status, fact.failure, now),
  },
  'rolling-back': {
    admitted: () => 'already-admitted',
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
    abandoned: () => 'not-applicable',
  },
  completed: terminal(),
  'rolled-back': terminal(),
  stuck: terminal(),
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
  const outcome = look(shape, execution, fact, now);
  if (typeof outcome === 'string') return { kind: 'ignored', why: outcome };
  return {
    kind: 'next',
    execution: {
      ...execution,
      ...outcome.patch,
      status: outcome.status,
      last: { fact: fact.kind, at: now, by },
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
    abandoned: ended,
  };
}

const fresh = { failures: 0, idleHandovers: 0, deaths: 0, spentMs: 0 } as const;

function begin({ shape, now }: Scene<StateOf<'waiting'>, FactOf<'admitted'>>): Outcome {
  const { name, phase } = firstStep(shape);
  return {
    status: { state: 'running', step: name, ...fresh, dueAt: now, forwardOnly: false, retreats: 0 },
    effects: [{ kind: 'send-work', phase, afterMs: 0 }],
  };
}

function claim(scene: Scene<Working, FactOf<'claimed'>>): Outcome {
  const { shape, execution, status, fact, now } = scene;
  if (status.lease !== undefined && now < status.lease.until) return 'held';
  if (status.lease === undefined && now < status.dueAt) return 'early';
  // A lease that ran out without a word: its worker died, or was stopped.
  const deaths = status.deaths + (status.lease === undefined ? 0 : 1);
  if (deaths > shape.limits.deaths) {
    const failure: Failure = {
      code: 'worker-died-repeatedly',
      sentence: `${String(deaths)} workers in a row died in step ${status.step} without progress`,
      cure: "look at the function's log for memory or time limits, then retry the move",
    };
    return giveUp(shape, released(status), failure, now);
  }
  const token = execution.token + 1;
  return {
    status: { ...status, deaths, lease: { owner: fact.owner, token, until: now + fact.leaseMs } },
    patch: { token },
  };
}

/** Runs `then` only for the worker that holds the newest token. An expired lease that nobody took is still its. */
function own<S extends Working>(
  scene: Scene<S, Fact & { readonly token: number }>,
  then: (held: S) => Outcome,
): Outcome {
  return scene.status.lease?.token === scene.fact.token ? then(scene.status) : 'superseded';
}

function extendLease(scene: Scene<Working, FactOf<'lease-extended'>>): Outcome {
  return own(scene, (held) =>
    held.lease === undefined
      ? 'superseded'
      : { status: { ...held, lease: { ...held.lease, until: scene.now + scene.fact.leaseMs } } },
  );
}

function withProgress<S extends Working>(status: S, progress: Json | undefined): S {
  return progress === undefined
    ? status
    : { ...omit(status, 'hinderedSince'), progress, deaths: 0, idleHandovers: 0 };
}

function finishStep(scene: Scene<RunningState, FactOf<'step-finished'>>): Outcome {
  const { shape, execution, fact, now } = scene;
  return own(scene, (held) => {
    const patch = {
      timings: { ...execution.timings, [held.step]: held.spentMs + fact.ms },
      results:
        fact.result === undefined ? execution.results : { ...execution.results, [held.step]: fact.result },
    };
    const next = stepAfter(shape, held.step);
    if (next === undefined) return { status: { state: 'completed', endedAt: now }, patch };
    const stays = next.phase === phaseOf(shape, held.step);
    return {
      status: {
        state: 'running',
        step: next.name,
        ...fresh,
        dueAt: now,
        forwardOnly: held.forwardOnly,
        retreats: held.retreats,
        ...(stays && held.lease !== undefined ? { lease: held.lease } : {}),
      },
      effects: stays ? [] : [{ kind: 'send-work', phase: next.phase, afterMs: 0 }],
      patch,
    };
  });
}

function finishUndo(scene: Scene<RollingBackState, FactOf<'step-finished'>>): Outcome {
  const { shape, now } = scene;
  return own(scene, (held) => {
    const next = stepBefore(shape, held.step);
    if (next === undefined) return { status: { state: 'rolled-back', endedAt: now, reason: held.reason } };
    return {
      status: {
        state: 'rolling-back',
        step: next.name,
        ...fresh,
        dueAt: now,
        reason: held.reason,
        ...(held.lease === undefined ? {} : { lease: held.lease }),
      },
    };
  });
}

function wait(scene: Scene<Working, FactOf<'step-waited'>>): Outcome {
  const { fact, now } = scene;
  return own(scene, (held) => {
    const since = held.waiting?.code === fact.code ? held.waiting.since : now;
    return later(scene, omit(withProgress(held, fact.progress), 'hinderedSince'), fact.afterMs, fact.ms, {
      waiting: { code: fact.code, on: fact.on, since },
    });
  });
}

function handOver(scene: Scene<Working, FactOf<'handed-over'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const moved =
      fact.progress !== undefined && JSON.stringify(fact.progress) !== JSON.stringify(held.progress);
    const idleHandovers = moved ? 0 : held.idleHandovers + 1;
    if (idleHandovers > shape.limits.idleHandovers) {
      const failure: Failure = {
        code: 'no-progress',
        sentence: `step ${held.step} was handed over ${String(idleHandovers)} times without progress`,
        cure: "give the function more time, or see the step's last report for what it waits on",
      };
      return giveUp(shape, released(held), failure, now);
    }
    return later(scene, { ...withProgress(held, fact.progress), idleHandovers }, 0, fact.ms);
  });
}

function hinder(scene: Scene<Working, FactOf<'step-hindered'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const hinderedSince = held.hinderedSince ?? now;
    const hindered = { ...held, hinderedSince, lastFailure: fact.failure };
    const mayUndo = held.state === 'running' && !held.forwardOnly;
    if (mayUndo && now - hinderedSince >= shape.limits.patienceMs) {
      return giveUp(shape, released(hindered), fact.failure, now);
    }
    return later(scene, hindered, backoff(shape, 2, fact.chance), fact.ms, {
      waiting: { code: fact.failure.code, on: fact.failure.sentence, since: hinderedSince },
    });
  });
}

function failForward(scene: Scene<RunningState, FactOf<'step-failed'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const failures = held.failures + 1;
    const allowed = held.forwardOnly ? shape.limits.forwardAttempts : shape.limits.attempts;
    const counted = { ...held, failures, lastFailure: fact.failure };
    // What cannot pass by itself needs no second try, unless there is no way but forward.
    if (failures >= allowed || (fact.fatal && !held.forwardOnly)) {
      return giveUp(shape, released(counted), fact.failure, now);
    }
    return later(scene, counted, backoff(shape, failures, fact.chance), fact.ms);
  });
}

function failBack(scene: Scene<RollingBackState, FactOf<'step-failed'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const failures = held.failures + 1;
    const counted = { ...held, failures, lastFailure: fact.failure };
    if (failures >= shape.limits.attempts) return giveUp(shape, released(counted), fact.failure, now);
    return later(scene, counted, backoff(shape, failures, fact.chance), fact.ms);
  });
}

function retreat(scene: Scene<RunningState, FactOf<'retreated'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    if (held.forwardOnly || stepIndex(shape, fact.to) >= stepIndex(shape, held.step)) return 'not-applicable';
    const retreats = held.retreats + 1;
    if (retreats > shape.limits.retreats) {
      return giveUp(shape, released({ ...held, retreats }), fact.failure, now);
    }
    const afterMs = backoff(shape, Math.min(retreats, 3), fact.chance);
    return {
      status: {
        state: 'running',
        step: fact.to,
        ...fresh,
        dueAt: now + afterMs,
        forwardOnly: false,
        retreats,
        lastFailure: fact.failure,
        waiting: { code: fact.failure.code, on: fact.failure.sentence, since: now },
      },
      effects: [{ kind: 'send-work', phase: phaseOf(shape, fact.to), afterMs }],
    };
  });
}

function goForward(scene: Scene<RollingBackState, FactOf<'undo-refused'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, () => ({
    status: { state: 'running', step: fact.step, ...fresh, dueAt: now, forwardOnly: true, retreats: 0 },
    effects: [{ kind: 'send-work', phase: phaseOf(shape, fact.step), afterMs: 0 }],
  }));
}

/** Nothing more is tried this way: before the pivot the work is undone, after it or in an undo a person is called. */
function giveUp(shape: WorkflowShape, status: Working, failure: Failure, now: number): Outcome {
  if (status.state === 'running' && !status.forwardOnly) return rollBack(shape, status, failure, now);
  return {
    status: {
      state: 'stuck',
      endedAt: now,
      step: status.step,
      direction: status.state === 'running' ? 'forward' : 'back',
      reason: failure,
    },
  };
}

/** A lease that is still held stays: the undo begins when its holder has let go or has run out of time. */
function rollBack(shape: WorkflowShape, status: RunningState, reason: Failure, now: number): Outcome {
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

function released<S extends Working>(status: S): S {
  return omit(status, 'lease');
}

function omit<S extends Working>(status: S, key: 'lease' | 'waiting' | 'hinderedSince'): S {
  const copy = { ...status };
  delete copy[key];
  return copy;
}

/** Lets go of the lease and goes on after a while. */
function later(
  scene: Scene<Working, Fact>,
  status: Working,
  afterMs: number,
  ms: number,
  extra: Pick<Partial<Working>, 'waiting'> = {},
): Outcome {
  const phase = status.state === 'running' ? phaseOf(scene.shape, status.step) : scene.shape.rollbackPhase;
  return {
    status: {
      ...omit(released(status), 'waiting'),
      ...extra,
      dueAt: scene.now + afterMs,
      spentMs: status.spentMs + ms,
    },
    effects: [{ kind: 'send-work', phase, afterMs }],
  };
}

/** Exponential, capped, with full spread over its upper half. @param chance in [0, 1) */
function backoff(shape: WorkflowShape, nth: number, chance: number): number {
  const { backoffMs, backoffCapMs } = shape.limits;
  return Math.round(Math.min(backoffCapMs, backoffMs * 2 ** (nth - 1)) * (0.5 + chance / 2));
}
