import type { Batch } from '../../domain/batch.ts';
import type { Hold } from '../../domain/pause.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import { isOf, moveEndpointShape } from '../../domain/workflow-shape.ts';
import { Refused } from '../requests/record-request.ts';
import type { Services } from '../services.ts';

type SubjectServices = Pick<Services, 'store'>;

/** @throws Refused `batch-unknown` */
export async function knownBatch({ store }: SubjectServices, id: BatchId): Promise<Batch> {
  const batch = await store.load('batch', { id });
  if (batch !== undefined) return batch;
  throw new Refused({
    code: 'batch-unknown',
    field: 'data.batch',
    sentence: `there is no batch ${id}`,
    cure: 'look for it with dray batch list',
  });
}

/** @throws Refused `move-unknown`, `workflow-unknown` */
export async function knownMove({ store }: SubjectServices, id: MoveId): Promise<Move> {
  const move = await store.load('move', { id });
  if (move !== undefined && !isOf(moveEndpointShape, move.execution)) {
    throw new Refused({
      code: 'workflow-unknown',
      field: 'data.move',
      sentence: `move ${id} has begun by the workflow ${move.execution.workflow}, which the release that is deployed does not know`,
      cure: 'deploy the release that made it, and say it again: until then the move is left as it is',
    });
  }
  if (move !== undefined) return move;
  throw new Refused({
    code: 'move-unknown',
    field: 'data.move',
    sentence: `there is no move ${id}`,
    cure: 'dray explain <endpoint> and dray batch show <id> name the moves there are',
  });
}

/**
 * Changes a batch on what stands in its row now, unless it is completed.
 * @param edit answers with what was given to it when nothing is to be changed
 * @throws Refused `batch-unknown`, `batch-ended`
 */
export async function changeBatch(
  services: SubjectServices,
  id: BatchId,
  edit: (batch: Batch) => Batch,
): Promise<Batch> {
  for (;;) {
    const batch = await knownBatch(services, id);
    if (batch.state === 'completed') {
      throw new Refused({
        code: 'batch-ended',
        field: 'data.batch',
        sentence: `batch ${id} is completed`,
        cure: `dray batch show ${id} says how it ended; dray batch retry ${id} asks again for what has not moved`,
      });
    }
    const after = edit(batch);
    if (after === batch) return batch;
    const answer = await services.store.commit('batch', batch, after);
    if (answer.kind === 'committed') return answer.record;
  }
}

/** Somebody has said the opposite later, by the times that the two have given. */
export function saidLater(what: string, other: Hold, word: Pick<Hold, 'at'>): Refused {
  return new Refused({
    code: 'command-superseded',
    field: 'time',
    sentence: `the opposite was said of ${what} later: by ${other.by}, for ${new Date(other.at).toISOString()}; this was said for ${new Date(word.at).toISOString()}`,
    cure: 'if it is what you want now, publish it again under another id and without time, so that it counts from when it is received; and look at the clock of who published it',
  });
}
