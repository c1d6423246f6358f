import type { BatchId } from '../shared/domain/ids.ts';
import type { BatchSnapshot } from '../shared/workflow/explain/batch-snapshot.ts';
import { BatchLook } from '../shared/workflow/explain/look-at-batch.ts';
import type { ExplainServices } from '../shared/workflow/explain/outlook.ts';

export interface WatchOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Milliseconds between two looks, at least. By default 250. */
  readonly everyMs?: number;
}

/** Looks take no more of the time than this. */
const restPerWork = 3;

/**
 * A batch, again and again, until it is completed or `signal` is aborted; the last look is exact. Nothing is
 * yielded for a batch that does not exist.
 */
export async function* watchBatch(
  services: ExplainServices,
  id: BatchId,
  { signal, everyMs = 250 }: WatchOptions = {},
): AsyncGenerator<BatchSnapshot, void, void> {
  const { clock } = services;
  const look = new BatchLook(services, id);
  while (signal?.aborted !== true) {
    const began = clock.now();
    const snapshot = await look.take();
    if (snapshot === undefined) return;
    yield snapshot;
    if (snapshot.batch.state === 'completed') return;
    await clock.sleep(Math.max(everyMs, restPerWork * (clock.now() - began)), signal);
  }
}
