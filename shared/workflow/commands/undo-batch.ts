import type { Batch } from '../../domain/batch.ts';
import type { Hold } from '../../domain/pause.ts';
import type { BatchId, EndpointName } from '../../domain/ids.ts';
import { isSettled, labelOf } from '../../domain/move.ts';
import { placeOfBatch } from '../../domain/trace.ts';
import type { Committed } from '../../ports/store.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import { dropReason } from '../joined-moves.ts';
import { moveIdOf, resolvedNames } from '../planning/plan-batch.ts';
import type { Invocation, Services } from '../services.ts';
import { cancellation } from './cancel.ts';

export type UndoServices = Pick<
  Services,
  'store' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'tracer' | 'settings'
>;

/** Moves between two records of how far it has come. */
const pageSize = 100;

/**
 * Turns round what can still go back of a cancelled batch, page by page: what one invocation has not done, the next
 * goes on with. Once it is through, only what is there counts as the batch. Safe to repeat.
 */
export async function undoBatch(
  services: UndoServices,
  id: BatchId,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  const found = await services.store.load('batch', { id });
  if (found?.cancelled === undefined || found.state === 'completed') return;
  const { cancelled } = found;
  const head = { name: 'undo', partOf: placeOfBatch(found), facts: { 'drayage.batch': id } };
  await services.tracer.during(head, async () => undoMoves(services, found, cancelled, invocation));
}

async function undoMoves(
  services: UndoServices,
  found: Batch,
  by: Hold,
  { remainingMs }: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  const { store, bus } = services;
  const { id } = found;
  let batch = found;
  const names = await resolvedNames(services, batch);
  for (let at = batch.undone ?? 0; at < names.length; at += pageSize) {
    if (remainingMs() <= 0) {
      await bus.sendPlan({ batch: id });
      return;
    }
    await undoPage(services, batch, by, names.slice(at, at + pageSize));
    const answer: Committed<Batch> = await store.commit('batch', batch, { ...batch, undone: at + pageSize });
    if (answer.kind === 'conflict') {
      await bus.sendPlan({ batch: id }, 1_000);
      return;
    }
    batch = answer.record;
  }
  const { undone: _, ...rest } = batch;
  await store.commit('batch', batch, { ...rest, state: 'running' });
  await bus.sendDispatch({ batch: id });
}

async function undoPage(
  services: UndoServices,
  batch: Batch,
  by: Hold,
  names: readonly EndpointName[],
): Promise<void> {
  const moves = await loadReadable(
    services,
    'move',
    names.map((name) => ({ id: moveIdOf(services, batch, name) })),
  );
  const open = moves.flatMap((move) =>
    move === undefined || move === 'unreadable' || isSettled(labelOf(move.execution)) ? [] : [move.id],
  );
  // What other batches want too goes on for them.
  await eachApart(services, open, async (move) => {
    await dropReason(services, move, cancellation(by), by);
  });
}
