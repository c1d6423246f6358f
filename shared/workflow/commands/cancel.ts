import type { Failure } from '../../domain/failure.ts';
import type { Hold } from '../../domain/fleet.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { labelOf } from '../../domain/move.ts';
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
 * Turns a move round, if it still can be.
 * @throws Refused `past-the-pivot`, `move-stuck`, `move-unknown`
 */
export async function cancelMove(services: TellServices, id: MoveId, by: Hold): Promise<void> {
  const move = await knownMove(services, id);
  const told = await tellMove(services, id, () => ({ kind: 'abandoned', failure: cancellation(by) }), by.by);
  if (told?.kind !== 'ignored') return;
  const { status } = told.move.execution;
  switch (status.state) {
    case 'stuck':
      throw new Refused({
        code: 'move-stuck',
        field: 'data.move',
        sentence: `move ${id} is stuck on its way ${status.direction}, in ${status.step}`,
        cure: `put right what stopped it (${status.reason.code}), then let it go on: dray move retry ${id} --reason …`,
      });
    case 'completed':
    case 'running':
      throw new Refused({
        code: 'past-the-pivot',
        field: 'data.move',
        sentence: `move ${id} can only go forward: it is ${labelOf(told.move.execution)}`,
        cure: `move ${move.endpoint} back once it has arrived: dray move reverse ${id} --reason …`,
      });
    // It goes back, or has gone back: as was wanted.
    case 'waiting':
    case 'rolling-back':
    case 'rolled-back':
      return;
    default:
      return status satisfies never;
  }
}
