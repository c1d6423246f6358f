import { shards } from '../../domain/shards.ts';
import { laneOf, pastLane, pastSource } from '../../domain/waiting-order.ts';
import { isOf, type WorkflowShape } from '../../domain/workflow-shape.ts';
import type { WaitingMove } from '../../ports/store.ts';
import type { Invocation, Services } from '../services.ts';

/** Moves that one question takes in; of a longer lane no more than these are looked at in one look. */
const window = 25;
/** No look takes in more. */
const mostMoves = 20_000;

export interface WaitingMoves {
  readonly moves: readonly WaitingMove[];
  /** There are more than these. */
  readonly more: boolean;
}

/**
 * What waits for permits: of each lane the first, and of a source that has no room no more than its most urgent. So
 * a look costs as many questions as there are lanes or sources, however many moves wait in them. What has begun by
 * another workflow than `shape` is left out: it would be chosen at each look, and never go.
 *
 * @param mayLeave has the source of a move any room at all?
 */
export async function waitingMoves(
  { views }: { readonly views: Pick<Services['views'], 'waiting'> },
  { remainingMs }: Pick<Invocation, 'remainingMs'>,
  shape: WorkflowShape,
  mayLeave: (move: WaitingMove) => Promise<boolean>,
): Promise<WaitingMoves> {
  const moves: WaitingMove[] = [];
  let more = false;
  await Promise.all(
    shards.map(async (shard) => {
      for (let after: string | undefined = ''; after !== undefined;) {
        if (moves.length >= mostMoves || remainingMs() <= 0) {
          more = true;
          return;
        }
        const found = await views.waiting(shard, after, window);
        const ours = found.filter((move) => isOf(shape, move));
        moves.push(...ours);
        after = await nextAfter(found, ours);
      }
    }),
  );
  return { moves, more };

  /** Where to look next; undefined when everything of the shard has been seen. */
  async function nextAfter(
    found: readonly WaitingMove[],
    ours: readonly WaitingMove[],
  ): Promise<string | undefined> {
    const [first] = found;
    const last = found.at(-1);
    if (first === undefined || last === undefined || found.length < window) return undefined;
    // Of this source nothing has been seen yet that could go.
    if (!ours.some(({ source }) => source === last.source)) return last.order;
    if (!(await mayLeave(last))) return pastSource(last.order);
    if (laneOf(first.order) !== laneOf(last.order)) return last.order;
    more = true;
    return pastLane(last.order);
  }
}
