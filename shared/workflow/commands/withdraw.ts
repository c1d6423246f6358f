import type { Failure } from '../../domain/failure.ts';
import type { Hold } from '../../domain/pause.ts';
import type { BatchId, EndpointName, MoveId } from '../../domain/ids.ts';
import { dropReason } from '../joined-moves.ts';
import { moveIdOf } from '../planning/plan-batch.ts';
import { Refused } from '../requests/record-request.ts';
import type { Services } from '../services.ts';
import { cannotGoBack } from './cancel.ts';
import { knownBatch, knownMove } from './subjects.ts';
import type { TellServices } from './tell-move.ts';

/** What a batch says of an endpoint that it does not want moved any more. */
const withdrawal = ({ by, reason }: Hold): Failure => ({
  code: 'withdrawn',
  sentence: `withdrawn by ${by}: ${reason}`,
  cure: 'nothing to do; ask for it again if it is wanted after all',
});

/**
 * Takes away one of several reasons to move an endpoint: that of the batch which counts it by this move. While others
 * want it the move goes on for them; with the last reason it goes back.
 *
 * @throws Refused `move-unknown`, `past-the-pivot`, `move-stuck`
 */
export async function withdraw(services: TellServices, id: MoveId, by: Hold): Promise<void> {
  await knownMove(services, id);
  const kept = await dropReason(services, id, withdrawal(by), by);
  if (kept !== undefined) throw cannotGoBack(kept);
}

/** The move by which a batch counts an endpoint. @throws Refused `batch-unknown`, `endpoint-not-in-batch` */
export async function moveInBatch(
  services: Pick<Services, 'store' | 'chance'>,
  id: BatchId,
  endpoint: EndpointName,
): Promise<MoveId> {
  const move = moveIdOf(services, await knownBatch(services, id), endpoint);
  if ((await services.store.load('move', { id: move })) !== undefined) return move;
  throw new Refused({
    code: 'endpoint-not-in-batch',
    field: 'data.endpoint',
    sentence: `batch ${id} has no move of ${endpoint}`,
    cure: `see what it moves: dray batch show ${id}`,
  });
}
