import type { Move } from '../../domain/move.ts';
import type { Closable, ThawSession } from '../../ports/driver.ts';
import { arbitrate, mustArbitrate, silent } from '../arbiter.ts';
import type { Hand, UndoOutcome } from '../engine/workflow.ts';
import type { MoveScene } from './scene.ts';

/**
 * Opens the source again: the arbiter first, so that no flip can land any more, then the host, then the row
 * says that it serves. Nothing is thawed on an unknown answer.
 */
export async function thaw(scene: MoveScene<ThawSession>, hand: Hand<Move>): Promise<void> {
  const { services } = scene;
  const { id, endpoint } = hand.task;
  const begun = await mustArbitrate(services, endpoint, { kind: 'begin-thaw', move: id, token: hand.token });
  if (begun.arbitration.kind === 'serving') return;
  const session = await scene.session(hand);
  await session.unfence();
  await mustArbitrate(services, endpoint, { kind: 'end-thaw', move: id, token: hand.token });
}

/** Undo of freeze. */
export async function undoFreeze(scene: MoveScene<ThawSession>, hand: Hand<Move>): Promise<UndoOutcome> {
  await thaw(scene, hand);
  return { kind: 'done' };
}

/** Undo of cutover. Legal until the target is being opened: the fenced source is complete. */
export async function undoCutover(
  { services }: Pick<MoveScene<Closable>, 'services'>,
  hand: Hand<Move>,
): Promise<UndoOutcome> {
  const { id, endpoint } = hand.task;
  const answer = await arbitrate(services, endpoint, { kind: 'un-flip', move: id, token: hand.token });
  if (answer.kind === 'unknown') throw silent(endpoint, { kind: 'un-flip', move: id, token: hand.token });
  if (answer.kind === 'ruled') return { kind: 'done' };
  const { arbitration, host } = answer.placement;
  const isOpening =
    arbitration.kind === 'opening' || (arbitration.kind === 'serving' && host === hand.task.target);
  return isOpening ? { kind: 'refused', step: 'activate' } : { kind: 'done' };
}
