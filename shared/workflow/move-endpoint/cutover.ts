import { SessionLost, StepFailure, TokenSuperseded, type Failure } from '../../domain/failure.ts';
import { mayCutOver, tooLongFor } from '../../domain/gate.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { CutoverSession } from '../../ports/driver.ts';
import { StoreUnavailable } from '../../ports/failures.ts';
import { arbitrate, mustArbitrate, refused, silent } from '../arbiter.ts';
import type { Hand, Step, StepOutcome } from '../engine/workflow.ts';
import { gateSceneOf, waitAtGate } from '../gate-scene.ts';
import { resultsOf } from './results.ts';
import { missing, type MoveScene } from './scene.ts';
import { thaw, undoCutover, undoFreeze } from './thaw.ts';

type Scene = MoveScene<CutoverSession>;
type CutoverStep = Step<Move, Scene>;
type Run = NonNullable<CutoverStep['run']>;

/** A freeze is put off this often before the move is given up. */
const mostPostponements = 60;

/** 7. Arbiter first, host second: `frozenBy` on the placement row, then the fence. */
export const freeze: CutoverStep = {
  async run(scene, hand) {
    const { services } = scene;
    const { id, endpoint, policy } = hand.task;
    // What an earlier worker of this move left frozen is open again before anything else.
    const found = await services.store.load('endpoint', { endpoint });
    if (found?.arbitration.kind !== 'serving') await thaw(scene, hand);
    const { preflight, verify } = resultsOf(hand.task);
    const isStale = verify === undefined || services.clock.now() - verify.at > services.settings.freshMs;
    const words = await gateSceneOf(services, hand.task, cutoverMs(hand.task, isStale));
    const never = tooLongFor(words);
    if (never !== undefined) throw new StepFailure(never, 'fail');
    const gate = mayCutOver(words, services.clock.now());
    if (gate.kind === 'closed') return waitAtGate(gate, hand.task, services.clock.now());
    if (isStale) {
      return { kind: 'retreat', to: 'verify', failure: stale };
    }
    const session = await scene.session(hand);
    const predicted = await session.predictPause();
    const budgetMs = Math.min(policy.pauseBudgetMs, words.fleet.knobs.pauseBudgetMs ?? Infinity);
    if (predicted.ms > budgetMs && preflight?.mode !== 'offline') {
      return postpone(
        hand,
        'pause-over-budget',
        `a freeze would take about ${String(predicted.ms)} ms, over the budget of ${String(budgetMs)} ms: ${predicted.why}`,
      );
    }
    const asked = services.clock.now();
    const frozen = await mustArbitrate(services, endpoint, { kind: 'freeze', move: id, token: hand.token });
    const tookMs = services.clock.now() - asked;
    if (tookMs > services.settings.slowStoreMs) {
      await thaw(scene, hand);
      return postpone(
        hand,
        'store-slow',
        `the table took ${String(tookMs)} ms for the freeze's own row; the flip would take as long`,
      );
    }
    const frozenAt = services.clock.now();
    try {
      await session.fence();
    } catch (error) {
      if (!(error instanceof StepFailure || error instanceof SessionLost)) throw error;
      await thaw(scene, hand);
      throw error instanceof StepFailure
        ? error
        : new StepFailure(sessionLost(hand.task), 'retry', { cause: error });
    }
    scene.held = frozen;
    const { epoch } = frozen;
    const bounded = preflight?.mode === 'offline' ? {} : { budgetMs };
    return { kind: 'done', result: { frozenAt, predictedMs: predicted.ms, epoch, ...bounded } };
  },
  isDone: hasFlipped,
  undo: undoFreeze,
};

/** What is left to do within a maintenance window, in milliseconds: the comparison again if it is due, and the pause. */
function cutoverMs({ policy, execution: { timings } }: Move, isStale: boolean): number {
  return policy.pauseBudgetMs + aroundMs + (isStale ? (timings['verify'] ?? 0) : 0);
}

/** What there is about a pause: looks at both hosts, and opening the target. */
const aroundMs = 10_000;

const stale: Failure = {
  code: 'verification-stale',
  sentence: 'the comparison of both sides is too old to flip on',
  cure: 'it is made again by itself',
};

function postpone(hand: Hand<Move>, code: string, on: string): StepOutcome {
  const times = typeof hand.progress === 'number' ? hand.progress + 1 : 1;
  if (times > mostPostponements) {
    throw new StepFailure(
      {
        code,
        sentence: `${on}; put off ${String(times)} times`,
        cure: 'move it at a calmer time, or allow a longer pause with policy.pauseBudgetMs',
      },
      'fail',
    );
  }
  return { kind: 'wait', code, on, afterMs: Math.min(1_000 * times, 30_000), progress: times };
}

/**
 * Runs a step under the freeze. Whatever fails there that may pass by itself opens the source first: no wait
 * and no retry keeps writers out.
 */
function whileFrozen(run: Run): Run {
  return async (scene, hand) => {
    try {
      return await run(scene, hand);
    } catch (error) {
      if (error instanceof SessionLost) {
        return { kind: 'retreat', to: 'freeze', failure: sessionLost(hand.task) };
      }
      if (!(error instanceof StepFailure) || error.verdict === 'fail') throw error;
      return { kind: 'retreat', to: 'freeze', failure: error.failure };
    }
  };
}

const sessionLost = ({ source, endpoint }: Move): Failure => ({
  code: 'session-lost',
  sentence: `the session into ${endpoint}, frozen on ${source}, was lost`,
  cure: 'the source serves again and is frozen anew by itself; if it stays so, look who ends sessions there',
  host: source,
});

/** 8. Marker, tail, sequences, one synchronous commit on the target. */
export const settle: CutoverStep = {
  run: whileFrozen(async (scene, hand) => {
    scene.held ??= await adoptFreeze(scene, hand);
    return scene.carryOn(hand, (session, progress) => session.settle(progress));
  }),
  isDone: hasFlipped,
};

async function adoptFreeze({ services }: Scene, { task, token }: Hand<Move>): Promise<Placement> {
  return mustArbitrate(services, task.endpoint, { kind: 'adopt-freeze', move: task.id, token });
}

/** 9. The last look while nobody writes. */
export const confirm: CutoverStep = {
  run: whileFrozen(async (scene, hand) => {
    await (await scene.session(hand)).confirm();
    return { kind: 'done' };
  }),
  isDone: hasFlipped,
};

/** 10. The pivot: one conditional write moves the endpoint. */
export const cutover: CutoverStep = {
  run: whileFrozen(async (scene, hand) => {
    const { preflight, freeze: frozen } = resultsOf(hand.task);
    if (preflight === undefined || frozen === undefined) throw missing('the result of preflight or freeze');
    scene.held ??= await adoptFreeze(scene, hand);
    const { id, endpoint, target } = hand.task;
    const { token } = hand;
    const { epoch } = frozen;
    const flip = { kind: 'flip', move: id, token, epoch, target, sizeBytes: preflight.sizeBytes } as const;
    const answer = await arbitrate(scene.services, endpoint, flip, scene.held);
    if (answer.kind === 'unknown') await resolveFlip(scene, hand);
    if (answer.kind === 'refused') throw refused(endpoint, flip, answer.why);
    scene.held = answer.kind === 'ruled' ? answer.placement : undefined;
    return { kind: 'done' };
  }),
  isDone: hasFlipped,
  undo: undoCutover,
};

/**
 * The flip was sent and not answered: either it shows, or it is made impossible. Until one of the two is sure,
 * writers wait.
 * @throws StepFailure when it has been made impossible; TokenSuperseded when a newer worker decides
 */
async function resolveFlip(scene: Scene, hand: Hand<Move>): Promise<void> {
  const { services } = scene;
  const { id, endpoint } = hand.task;
  const { token } = hand;
  while (!hand.signal.aborted) {
    try {
      if (await hasFlipped(scene, hand)) return;
      const thawing = await arbitrate(services, endpoint, { kind: 'begin-thaw', move: id, token });
      if (thawing.kind === 'ruled') break;
      if (thawing.kind === 'refused')
        throw new TokenSuperseded(`the placement of ${endpoint}: ${thawing.why}`);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    await services.clock.sleep(100, hand.signal);
  }
  throw silent(endpoint, { kind: 'begin-thaw', move: id, token });
}

async function hasFlipped({ services }: Scene, hand: Hand<Move>): Promise<boolean> {
  const placement = await services.store.load('endpoint', { endpoint: hand.task.endpoint });
  return placement?.host === hand.task.target && placement.claim?.move === hand.task.id;
}
