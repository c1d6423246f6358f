import type { Batch } from '../shared/domain/batch.ts';
import type { MoveId } from '../shared/domain/ids.ts';
import type { Move } from '../shared/domain/move.ts';
import { everyPage } from '../shared/workflow/every-page.ts';
import type { Client } from './client.ts';
import { CliError } from './cli-error.ts';

/** @throws CliError `move-unknown` */
export async function findMove({ store }: Client, id: MoveId): Promise<Move> {
  const move = await store.load('move', { id });
  if (move === undefined) throw unknownMove(id);
  return move;
}

export function unknownMove(id: string): CliError {
  return new CliError({
    code: 'move-unknown',
    sentence: `There is no move ${id}`,
    cure: 'dray explain <endpoint> and dray batch show <id> name the moves there are',
  });
}

/** All batches, newest first. */
export async function allBatches({ store, views }: Client): Promise<Batch[]> {
  const ids = await everyPage((cursor) => views.batches(cursor));
  const batches = await store.loadMany(
    'batch',
    ids.map((id) => ({ id })),
  );
  return batches.flatMap((batch) => batch ?? []).sort((one, other) => other.createdAt - one.createdAt);
}
