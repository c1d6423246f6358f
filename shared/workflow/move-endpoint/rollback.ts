import { StepFailure } from '../../domain/failure.ts';
import type { Move } from '../../domain/move.ts';
import type { RollbackSession } from '../../ports/driver.ts';
import { mustArbitrate } from '../arbiter.ts';
import type { Hand, Step, UndoOutcome } from '../engine/workflow.ts';
import type { MoveScene } from './scene.ts';
import { undoCutover, undoFreeze } from './thaw.ts';
import type { Phase, StepName } from './workflow.ts';

type Scene = MoveScene<RollbackSession>;
type Undo = NonNullable<Step<Move, Scene>['undo']>;

/** What planning and admission took for the move goes back. */
const undoPreflight: Undo = async (scene, hand) => {
  const { permits } = scene.services;
  const { id, endpoint, source, target } = hand.task;
  await mustArbitrate(scene.services, endpoint, { kind: 'release', move: id });
  await Promise.all([permits.giveBack(source, 'out', id), permits.vacate(target, id)]);
  return { kind: 'done' };
};

const undoReserve: Undo = async ({ services }, hand) => {
  await services.permits.unreserve(hand.task.target, hand.task.id);
  return { kind: 'done' };
};

const undoProvision: Undo = (scene, hand) => cleanAway(scene, hand, (session) => session.dropTarget());

const undoCopy: Undo = (scene, hand) => cleanAway(scene, hand, (session) => session.dropReplication());

/**
 * An undo on both hosts. A target that is down cannot keep the source: once nothing of ours is recorded on the
 * source, the rest is left to the sweep of the target, which finds its cleanup record.
 */
async function cleanAway(
  scene: Scene,
  hand: Hand<Move>,
  clean: (session: RollbackSession) => Promise<void>,
): Promise<UndoOutcome> {
  try {
    await clean(await scene.session(hand));
  } catch (error) {
    if (!(error instanceof StepFailure) || error.verdict !== 'host-down') throw error;
    const left = await scene.services.store.load('cleanup', {
      move: hand.task.id,
      run: hand.task.execution.run,
      host: hand.task.source,
    });
    if (left !== undefined && left.items.length > 0) throw error;
    hand.log.warn('left to the sweep', { host: hand.task.target, why: error.message });
  }
  return { kind: 'done' };
}

const steps = {
  preflight: { undo: undoPreflight },
  reserve: { undo: undoReserve },
  provision: { undo: undoProvision },
  copy: { undo: undoCopy },
  // That of copy is theirs too.
  'catch-up': {},
  verify: {},
  freeze: { undo: undoFreeze },
  // The thaw is theirs too.
  settle: {},
  confirm: {},
  cutover: { undo: undoCutover },
  activate: {},
  retire: {},
} as const satisfies Record<StepName, Step<Move, Scene>>;

/** The way back: what each step undoes. */
export const rollbackPhase: Phase<RollbackSession> = { name: 'rollback', steps };
