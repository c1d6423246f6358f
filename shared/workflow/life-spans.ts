import type { Batch } from '../domain/batch.ts';
import { isSettled, labelOf, type Move } from '../domain/move.ts';
import { placeOfBatch, placeOfMove, placeOfRequest } from '../domain/trace.ts';
import type { Services } from './services.ts';

/** Tells of a batch that has come to its end. One that is opened again is told again, in the same place. */
export function tellBatch({ tracer }: Pick<Services, 'tracer'>, batch: Batch): void {
  const { id, createdAt, endedAt = createdAt, counts, failure } = batch;
  tracer.tell({
    name: 'batch',
    at: placeOfBatch(batch),
    partOf: placeOfRequest(batch),
    since: createdAt,
    until: endedAt,
    facts: {
      'drayage.batch': id,
      ...Object.fromEntries(
        Object.entries(counts).map(([label, count]) => [`drayage.moves.${label}`, count]),
      ),
    },
    ...(failure === undefined ? {} : { failure: failure.code }),
  });
}

/**
 * Tells of each run of a move that is settled now, whoever has settled it. A stream that tells something twice is told
 * twice, in the same place. What is retired later is a part of it all the same.
 */
export function tellMoves(
  { tracer }: Pick<Services, 'tracer'>,
  changes: readonly { readonly before?: Move; readonly after?: Move }[],
): void {
  for (const { before, after } of changes) {
    if (after === undefined) continue;
    const label = labelOf(after.execution);
    if (!isSettled(label) || (before !== undefined && isSettled(labelOf(before.execution)))) continue;
    const { id, batch, endpoint, source, target, traceparent, createdAt, execution } = after;
    const { status, run, last } = execution;
    tracer.tell({
      name: 'move',
      at: placeOfMove(after),
      partOf: placeOfBatch({ id: batch, ...(traceparent === undefined ? {} : { traceparent }) }),
      since: createdAt,
      until: last.at,
      facts: {
        'drayage.move': id,
        'drayage.batch': batch,
        'drayage.endpoint': endpoint,
        'drayage.from_host': source,
        'drayage.to_host': target,
        'drayage.run': run,
        'drayage.outcome': label,
      },
      ...('reason' in status ? { failure: status.reason.code } : {}),
    });
  }
}
