import type { Failure } from '../../domain/failure.ts';
import type { Hold } from '../../domain/pause.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { labelOf, type Move } from '../../domain/move.ts';
import { dropReason } from '../joined-moves.ts';
import { Refused } from '../requests/record-request.ts';
import type { Services } from '../services.ts';
import { changeBatch, knownMove } from './subjects.ts';
import { tellMove, type TellServices } from './tell-move.ts';

/** Why a move that a person does not want any more goes back. */
export const cancellation = ({ by, reason }: Hold): Failure => ({
  code: 'cancelled',
  sentence: `cancelled by ${by}: ${reason}`,
  cure: 'nothing to do; ask for it again if it is wanted after all',
});

/** Marks a batch as not wanted; its moves are turned round page by page. @throws Refused as `changeBatch` */
export async function cancelBatch(
  services: Pick<Services, 'store' | 'bus'>,
  id: BatchId,
  by: Hold,
): Promise<void> {
  await changeBatch(services, id, (batch) =>
    batch.cancelled === undefined ? { ...batch, cancelled: by } : batch,
  );
  await services.bus.sendPlan({ batch: id });
}

/**
 * Turns a move round, if it still can be, whoever wants it. Of one that is joined to another batch's move only this
 * batch's reason is taken away: the other one is for its own batch to cancel.
 *
 * @throws Refused `past-the-pivot`, `move-stuck`, `move-unknown`
 */
export async function cancelMove(services: TellServices, id: MoveId, by: Hold): Promise<void> {
  const move = await knownMove(services, id);
  if (move.joined !== undefined) {
    const kept = await dropReason(services, id, cancellation(by), by);
    if (kept !== undefined) throw cannotGoBack(kept);
    return;
  }
  const told = await tellMove(services, id, () => ({ kind: 'abandoned', failure: cancellation(by) }), by.by);
  if (told?.kind !== 'ignored') return;
  const { state } = told.move.execution.status;
  // It goes back, or has gone back: as was wanted.
  if (state === 'waiting' || state === 'rolling-back' || state === 'rolled-back') return;
  throw cannotGoBack(told.move);
}

/** What can only go forward, has arrived, or is stuck. */
export function cannotGoBack({ id, endpoint, execution }: Move): Refused {
  const { status } = execution;
  return status.state === 'stuck'
    ? new Refused({
        code: 'move-stuck',
        field: 'data.move',
        sentence: `move ${id} is stuck on its way ${status.direction}, in ${status.step}`,
        cure: `put right what stopped it (${status.reason.code}), then let it go on: dray move retry ${id} --reason …`,
      })
    : new Refused({
        code: 'past-the-pivot',
        field: 'data.move',
        sentence: `move ${id} can only go forward: it is ${labelOf(execution)}`,
        cure: `move ${endpoint} back once it has arrived: dray move reverse ${id} --reason …`,
      });
}
