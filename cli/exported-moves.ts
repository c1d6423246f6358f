import * as z from 'zod';
import type { Batch } from '../shared/domain/batch.ts';
import type { BatchId, MoveId } from '../shared/domain/ids.ts';
import type { Move } from '../shared/domain/move.ts';
import { loadReadable } from '../shared/workflow/each-apart.ts';
import { pagesOf } from '../shared/workflow/every-page.ts';
import type { Services } from '../shared/workflow/services.ts';
import { entryOf, type ExportEntry } from './export-entry.ts';

type Reads = Pick<Services, 'store' | 'views'>;

/** From one time to before another, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Ids of moves, and which of these moves are meant. */
interface MovePage {
  readonly ids: readonly MoveId[];
  readonly isIn: (createdAt: number) => boolean;
}

const hourMs = 3_600_000;

/** Of moves that were made in a span of time, oldest first. */
export async function* madeIn({ views }: Reads, { from, to }: Span): AsyncGenerator<MovePage> {
  const isIn = (createdAt: number): boolean => createdAt >= from && createdAt < to;
  for (let at = Math.floor(from / hourMs) * hourMs; at < to; at += hourMs) {
    const hour = new Date(at).toISOString().slice(0, 13);
    for await (const ids of pagesOf((cursor) => views.movesAt(hour, cursor))) yield { ids, isIn };
  }
}

/** Of a batch, whenever its moves were made. */
export async function* movesOf({ views }: Reads, batch: BatchId): AsyncGenerator<MovePage> {
  for await (const moves of pagesOf((cursor) => views.movesOf(batch, undefined, cursor)))
    yield { ids: moves.map(({ id }) => id), isIn: () => true };
}

/**
 * What auditors are told of moves, page by page. A row that cannot be read takes no other with it.
 *
 * @param passOver hears what is missing for it, in a sentence
 * @throws StoreUnavailable
 */
export async function* entriesOf(
  { store }: Reads,
  pages: AsyncIterable<MovePage>,
  passOver: (what: string) => void,
): AsyncGenerator<readonly ExportEntry[]> {
  const batches = new Map<BatchId, Batch | undefined>();
  for await (const { ids, isIn } of pages) {
    const found = await loadReadable(
      { store },
      'move',
      ids.map((id) => ({ id })),
    );
    const moves = found.flatMap((move, at) => {
      if (move === 'unreadable') passOver(leftOut(ids[at]));
      return move === undefined || move === 'unreadable' || !isIn(move.createdAt) ? [] : [move];
    });
    const unknown = [...new Set(moves.map(({ batch }) => batch))].filter((id) => !batches.has(id));
    const loaded = await loadReadable(
      { store },
      'batch',
      unknown.map((id) => ({ id })),
    );
    unknown.forEach((id, at) => {
      const batch = loaded[at];
      if (batch === 'unreadable')
        passOver(`batch ${id} cannot be read: who asked for its moves, and why, is not told`);
      batches.set(id, batch === 'unreadable' ? undefined : batch);
    });
    yield moves.flatMap((move) => tellOf(move, batches.get(move.batch), passOver));
  }
}

const leftOut = (move: MoveId | undefined): string =>
  `move ${move ?? ''} is left out: its row cannot be read; dray move show ${move ?? ''} says why`;

/** What steps have left in a move's row is read for itself. */
function tellOf(
  move: Move,
  batch: Batch | undefined,
  passOver: (what: string) => void,
): readonly ExportEntry[] {
  try {
    return [entryOf(move, batch)];
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    passOver(leftOut(move.id));
    return [];
  }
}
