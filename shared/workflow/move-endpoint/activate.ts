import { StepFailure } from '../../domain/failure.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { CutoverSession } from '../../ports/driver.ts';
import { mustArbitrate, unknownEndpoint } from '../arbiter.ts';
import type { Hand, Step, StepOutcome } from '../engine/workflow.ts';
import { resultsOf } from './results.ts';
import type { MoveScene } from './scene.ts';

/**
 * 11. Opens the endpoint at its new host and clears the source. The point of no return is the recorded intent
 * to open, on the placement row; before it a failure leads back, after it only forward.
 */
export const activate: Step<Move, MoveScene<CutoverSession>> = {
  async run(scene, hand) {
    const { services } = scene;
    const { id, endpoint, source, target } = hand.task;
    const placement = scene.held ?? (await services.store.load('endpoint', { endpoint }));
    if (placement === undefined) throw unknownEndpoint(endpoint);
    const session = await scene.session(hand);
    let openedAt = typeof hand.progress === 'number' ? hand.progress : undefined;
    // An endpoint that was let go has been opened before: it may be anywhere by now, in another move's hands.
    const isLetGo = placement.claim?.move !== id;
    if (!isLetGo && (placement.host !== target || placement.arbitration.kind !== 'serving')) {
      const back = await prepareToOpen(hand, placement, session);
      if (back !== undefined) return back;
      await open(scene, hand, session);
      openedAt = services.clock.now();
      await hand.note({ forwardOnly: true, progress: openedAt });
    }
    const retained = await session.release();
    const { permits } = services;
    await Promise.all([permits.giveBack(source, 'out', id), permits.vacate(target, id)]);
    await mustArbitrate(services, endpoint, { kind: 'release', move: id });
    const frozen = resultsOf(hand.task).freeze;
    const isTold = openedAt !== undefined;
    openedAt ??= services.clock.now();
    const pauseMs = openedAt - (frozen?.frozenAt ?? openedAt);
    // Whoever opened it died before saying when: what has passed since then is no pause, and its length is not known.
    if (isTold) {
      services.meter.note('WriterPauseMs', pauseMs, { host: target }, {});
      if (pauseMs > (frozen?.budgetMs ?? Infinity)) services.meter.note('PausesOverBudget', 1);
    }
    return { kind: 'done', result: { openedAt, pauseMs, retained: { ...retained } } };
  },
};

/** @returns the way back, when the target cannot be opened and the source can still serve */
async function prepareToOpen(
  hand: Hand<Move>,
  { arbitration, host }: Placement,
  session: CutoverSession,
): Promise<StepOutcome | undefined> {
  const { endpoint, source, target } = hand.task;
  if (arbitration.kind === 'opening') return undefined;
  if (host !== target) {
    const failure = {
      code: 'flip-undone',
      sentence: `${endpoint} is placed on ${host} again`,
      cure: 'the source serves, and the cutover is tried again by itself',
    };
    return { kind: 'retreat', to: 'freeze', failure };
  }
  try {
    await session.fenceForGood();
    return undefined;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    // The fence is in the source's own catalog and survives it: a source that has died cannot hold up the target.
    if (error.verdict === 'host-down' && error.failure.host === source) return undefined;
    hand.log.warn('flip is taken back', { why: error.message });
    return { kind: 'retreat', to: 'freeze', failure: error.failure };
  }
}

async function open(
  scene: MoveScene<CutoverSession>,
  hand: Hand<Move>,
  session: CutoverSession,
): Promise<void> {
  const { id, endpoint, target } = hand.task;
  const { token } = hand;
  await mustArbitrate(scene.services, endpoint, { kind: 'begin-opening', move: id, token }, scene.held);
  try {
    await session.open();
    await session.probe();
  } catch (error) {
    if (error instanceof StepFailure) await hand.note({ forwardOnly: true });
    throw error;
  }
  await mustArbitrate(scene.services, endpoint, { kind: 'end-opening', move: id, token, target });
}
