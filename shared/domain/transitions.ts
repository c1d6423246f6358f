import type { ExecutionState, RollingBackState, RunningState } from './execution.ts';
import type { FactOf } from './fact.ts';
import type { Failure } from './failure.ts';
import {
  backoff,
  fresh,
  giveUp,
  later,
  own,
  quarantine,
  rollBack,
  unbegun,
  withProgress,
  without,
  type Outcome,
  type Scene,
  type StateOf,
  type Working,
} from './transition.ts';
import {
  firstStep,
  hasLeftNothing,
  phaseOf,
  stepAfter,
  stepBefore,
  stepIndex,
  type WorkflowShape,
} from './workflow-shape.ts';

export function begin({ shape, status, now }: Scene<StateOf<'waiting'>, FactOf<'admitted'>>): Outcome {
  if (status.carried !== undefined) return 'not-applicable';
  const { name, phase } = firstStep(shape);
  return {
    status: { state: 'running', step: name, ...fresh, dueAt: now, forwardOnly: false, retreats: 0 },
    effects: [{ kind: 'send-work', phase, afterMs: 0 }],
  };
}

/**
 * May what is under way wait again, as if it had never begun? Only what has left nothing anywhere, and what no
 * worker holds: one that has fallen silent finds out with its next report.
 */
export function mayBeSetBack(shape: WorkflowShape, status: ExecutionState, now: number): boolean {
  return (
    status.state === 'running' &&
    hasLeftNothing(shape, status.step) &&
    (status.lease === undefined || now >= status.lease.until)
  );
}

/** What it has found out is looked at anew; the tokens of its workers go on from where they are. */
export function setBack({ shape, status, fact, now }: Scene<RunningState, FactOf<'set-back'>>): Outcome {
  if (!mayBeSetBack(shape, status, now)) return 'not-applicable';
  const { code, on } = fact;
  return {
    status: { state: 'waiting', waiting: { code, on, since: now }, dueAt: now },
    patch: { results: {}, timings: {} },
  };
}

export function claim(scene: Scene<Working, FactOf<'claimed'>>): Outcome {
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
    return quarantine(shape, without(status, 'lease'), failure, now);
  }
  const token = execution.token + 1;
  return {
    status: { ...status, deaths, lease: { owner: fact.owner, token, until: now + fact.leaseMs } },
    patch: { token },
  };
}

export function extendLease(scene: Scene<Working, FactOf<'lease-extended'>>): Outcome {
  return own(scene, (held) =>
    held.lease === undefined
      ? 'superseded'
      : {
          status: withProgress(
            { ...held, lease: { ...held.lease, until: scene.now + scene.fact.leaseMs } },
            scene.fact.progress,
          ),
        },
  );
}

export function finishStep(scene: Scene<RunningState, FactOf<'step-finished'>>): Outcome {
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

export function finishUndo(scene: Scene<RollingBackState, FactOf<'step-finished'>>): Outcome {
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

export function wait(scene: Scene<Working, FactOf<'step-waited'>>): Outcome {
  const { fact, now } = scene;
  return own(scene, (held) => {
    const since = held.waiting?.code === fact.code ? held.waiting.since : now;
    return later(scene, without(withProgress(held, fact.progress), 'hinderedSince'), fact.afterMs, fact.ms, {
      waiting: { code: fact.code, on: fact.on, since },
    });
  });
}

export function handOver(scene: Scene<Working, FactOf<'handed-over'>>): Outcome {
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
      return quarantine(shape, without(held, 'lease'), failure, now);
    }
    return later(scene, { ...withProgress(held, fact.progress), idleHandovers }, 0, fact.ms);
  });
}

export function hinder(scene: Scene<Working, FactOf<'step-hindered'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const hinderedSince = held.hinderedSince ?? now;
    const hindered = { ...held, hinderedSince, lastFailure: fact.failure };
    const mayUndo = held.state === 'running' && !held.forwardOnly;
    if (mayUndo && now - hinderedSince >= shape.limits.patienceMs) {
      return giveUp(shape, without(hindered, 'lease'), fact.failure, now);
    }
    return later(scene, hindered, backoff(shape, 2, fact.chance), fact.ms, {
      waiting: { code: fact.failure.code, on: fact.failure.sentence, since: hinderedSince },
    });
  });
}

export function failForward(scene: Scene<RunningState, FactOf<'step-failed'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const failures = held.failures + 1;
    const allowed = held.forwardOnly ? shape.limits.forwardAttempts : shape.limits.attempts;
    const counted = { ...held, failures, lastFailure: fact.failure };
    // What cannot pass by itself needs no second try, unless there is no way but forward.
    if (failures >= allowed || (fact.fatal && !held.forwardOnly)) {
      return quarantine(shape, without(counted, 'lease'), fact.failure, now);
    }
    return later(scene, counted, backoff(shape, failures, fact.chance), fact.ms);
  });
}

export function failBack(scene: Scene<RollingBackState, FactOf<'step-failed'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    const failures = held.failures + 1;
    const counted = { ...held, failures, lastFailure: fact.failure };
    if (failures >= shape.limits.attempts) {
      return quarantine(shape, without(counted, 'lease'), fact.failure, now);
    }
    return later(scene, counted, backoff(shape, failures, fact.chance), fact.ms);
  });
}

export function retreat(scene: Scene<RunningState, FactOf<'retreated'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, (held) => {
    if (held.forwardOnly || stepIndex(shape, fact.to) >= stepIndex(shape, held.step)) return 'not-applicable';
    const retreats = held.retreats + 1;
    if (retreats > shape.limits.retreats) {
      return quarantine(shape, without({ ...held, retreats }, 'lease'), fact.failure, now);
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

/** A message of the way forward does not end the way back, on which its first failure has sent the work. */
export function poison({ shape, status, fact, now }: Scene<Working, FactOf<'poisoned'>>): Outcome {
  const isOfRollback = fact.phase === shape.rollbackPhase;
  if (isOfRollback !== (status.state === 'rolling-back')) return 'not-applicable';
  return quarantine(shape, status, fact.failure, now);
}

export function goForward(scene: Scene<RollingBackState, FactOf<'undo-refused'>>): Outcome {
  const { shape, fact, now } = scene;
  return own(scene, () => ({
    status: { state: 'running', step: fact.step, ...fresh, dueAt: now, forwardOnly: true, retreats: 0 },
    effects: [{ kind: 'send-work', phase: phaseOf(shape, fact.step), afterMs: 0 }],
  }));
}

/** It waits on, and since when for the same thing. */
export function putOff({ status, fact, now }: Scene<StateOf<'waiting'>, FactOf<'put-off'>>): Outcome {
  if (status.carried !== undefined) return 'not-applicable';
  const { code, on, until } = fact;
  const since = status.waiting.code === code ? status.waiting.since : now;
  return { status: { state: 'waiting', waiting: { code, on, since }, dueAt: until, putOff: true } };
}

export function backInLine({ status, fact, now }: Scene<StateOf<'waiting'>, FactOf<'woken'>>): Outcome {
  if (status.putOff === undefined) return 'not-applicable';
  return { status: { state: 'waiting', waiting: { code: fact.code, on: fact.on, since: now }, dueAt: now } };
}

/** What has been done for it by other work; it has nothing of its own to undo. */
export function endCarried({
  status,
  fact,
  now,
}: Scene<StateOf<'waiting'>, FactOf<'carrier-ended'>>): Outcome {
  if (status.carried === undefined) return 'not-applicable';
  const { failure } = fact;
  return failure === undefined
    ? { status: { state: 'completed', endedAt: now } }
    : { status: { state: 'rolled-back', endedAt: now, reason: failure } };
}

/** What has not begun goes back all the same: planning has taken something for it, unless other work was to do it. */
export function abandon({
  shape,
  status,
  fact,
  now,
}: Scene<StateOf<'waiting'>, FactOf<'abandoned'>>): Outcome {
  return status.carried === undefined
    ? rollBack(shape, unbegun(shape, now), fact.failure, now)
    : { status: { state: 'rolled-back', endedAt: now, reason: fact.failure } };
}

/** What no worker holds and was to be looked at later is looked at now. */
export function wake({ shape, status, now }: Scene<Working, FactOf<'woken'>>): Outcome {
  if (status.lease !== undefined || status.waiting === undefined || status.dueAt <= now)
    return 'not-applicable';
  const phase = status.state === 'running' ? phaseOf(shape, status.step) : shape.rollbackPhase;
  return { status: { ...status, dueAt: now }, effects: [{ kind: 'send-work', phase, afterMs: 0 }] };
}

/** The same way on, at the same step, as if it had never failed there. */
export function tryAgain({ shape, status, now }: Scene<StateOf<'stuck'>, FactOf<'retried'>>): Outcome {
  const { step, direction, reason, undoing } = status;
  const anew = { step, ...fresh, dueAt: now };
  return direction === 'forward'
    ? {
        // Only what cannot go back any more gives up on its way forward.
        status: { state: 'running', ...anew, forwardOnly: true, retreats: 0 },
        effects: [{ kind: 'send-work', phase: phaseOf(shape, step), afterMs: 0 }],
      }
    : {
        status: { state: 'rolling-back', ...anew, reason: undoing ?? reason },
        effects: [{ kind: 'send-work', phase: shape.rollbackPhase, afterMs: 0 }],
      };
}
