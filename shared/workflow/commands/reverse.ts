import type { EventHead } from '../../domain/event.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { labelOf } from '../../domain/move.ts';
import { checkTarget } from '../requests/known-host.ts';
import { openBatch, type OpenServices } from '../requests/open-batch.ts';
import { Refused } from '../requests/record-request.ts';
import { knownBatch, knownMove } from './subjects.ts';

/**
 * Moves an endpoint back to where a move has taken it from: a new move like any other, which copies everything.
 *
 * @returns its batch
 * @throws Refused `reverse-early`, `move-overtaken`, `endpoint-moving`, or when the source takes nothing any more
 */
export async function reverse(
  services: OpenServices,
  head: EventHead,
  id: MoveId,
  reason: string,
): Promise<BatchId> {
  const move = await knownMove(services, id);
  const { endpoint, source, target, batch } = move;
  const label = labelOf(move.execution);
  if (label !== 'moved' && label !== 'retired') {
    throw new Refused({
      code: 'reverse-early',
      field: 'data.move',
      sentence: `move ${id} has not arrived: it is ${label}`,
      cure: `while it is under way, cancel it: dray move cancel ${id} --reason …`,
    });
  }
  const placement = await services.store.load('endpoint', { endpoint });
  if (placement?.host !== target) {
    throw new Refused({
      code: 'move-overtaken',
      field: 'data.move',
      sentence: `${endpoint} is not on ${target} any more, where move ${id} has taken it`,
      cure: `see where it is now: dray endpoint show ${endpoint}`,
    });
  }
  if (placement.claim !== undefined) {
    throw new Refused({
      code: 'endpoint-moving',
      field: 'data.move',
      sentence: `${endpoint} is being moved already, by ${placement.claim.move}`,
      cure: `wait for it (dray move show ${placement.claim.move}), then ask again`,
    });
  }
  await checkTarget(services, source, 'data.move');
  const { policy, priority } = await knownBatch(services, batch);
  const { start: _start, startAt: _startAt, ...rest } = policy;
  return openBatch(services, head, {
    reason: `reverse of ${id}: ${reason}`,
    policy: rest,
    priority,
    selection: { kind: 'pairs', pairs: [{ endpoint, target: source }] },
  });
}
