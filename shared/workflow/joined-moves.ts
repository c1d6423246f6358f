import type { Failure } from '../domain/failure.ts';
import type { Hold } from '../domain/pause.ts';
import type { MoveId } from '../domain/ids.ts';
import { endForJoined, withoutReason } from '../domain/move-reasons.ts';
import type { Move } from '../domain/move.ts';
import { tellMove, type TellServices } from './commands/tell-move.ts';
import { eachApart, loadReadable } from './each-apart.ts';
import { moveShape } from './move-endpoint/workflow.ts';
import type { Services } from './services.ts';

/** Has the moves of other batches end that are joined to one that has ended. Safe to repeat. */
export async function endJoined(
  services: TellServices & Pick<Services, 'log'>,
  carrier: Move,
): Promise<void> {
  const fact = endForJoined(carrier);
  if (fact === undefined) return;
  const others = (carrier.reasons ?? []).filter(({ move }) => move !== carrier.id);
  await eachApart(services, others, async ({ move }) => {
    await tellMove(services, move, () => fact, `move ${carrier.id}`);
  });
}

type Found = Move | 'unreadable' | undefined;

export interface Looked {
  readonly moves: readonly Found[];
  /** Those whose carriers can only go forward: to take their reason away would be too late. */
  readonly onTheirWay: ReadonlySet<MoveId>;
}

/**
 * The same moves, as they are once those have ended whose carriers have: the news of that is lost with the stream, and
 * with a planner that joined one too late.
 */
export async function withJoinedEnded(
  services: TellServices & Pick<Services, 'log'>,
  moves: readonly Found[],
): Promise<Looked> {
  const open = moves.filter(isCarried);
  const onTheirWay = new Set<MoveId>();
  if (open.length === 0) return { moves, onTheirWay };
  const ids = [...new Set(open.flatMap(({ joined }) => joined?.move ?? []))];
  const found = await loadReadable(
    services,
    'move',
    ids.map((id) => ({ id })),
  );
  const carriers = new Map(ids.map((id, index) => [id, found[index]]));
  const ended = new Map<MoveId, Move>();
  for (const { id, joined } of open) {
    const carrier = joined === undefined ? undefined : carriers.get(joined.move);
    const isLost = carrier === undefined || carrier === 'unreadable';
    const fact = isLost
      ? { kind: 'carrier-ended' as const, failure: lost(joined?.move) }
      : endForJoined(carrier);
    const told = fact === undefined ? undefined : await tellMove(services, id, () => fact, 'dispatch-moves');
    if (told !== undefined) ended.set(id, told.move);
    else if (!isLost && isForwardOnly(carrier)) onTheirWay.add(id);
  }
  return { moves: moves.map((move) => (isCarried(move) ? (ended.get(move.id) ?? move) : move)), onTheirWay };
}

const isForwardOnly = ({ execution: { status } }: Move): boolean =>
  status.state === 'running' && status.forwardOnly;

const isCarried = (move: Found): move is Move =>
  move !== undefined &&
  move !== 'unreadable' &&
  move.execution.status.state === 'waiting' &&
  move.execution.status.carried !== undefined;

const lost = (id: MoveId | undefined): Failure => ({
  code: 'joined-unreadable',
  sentence: `the row of move ${String(id)}, which was to take it along, cannot be read`,
  cure: 'repair that row, or ask for the endpoint again',
});

/**
 * Takes away a batch's reason to move an endpoint. What nobody else wants goes back, if it still can; else it goes on
 * for the others. Safe to repeat: whoever died in between is followed by one who does the rest.
 *
 * @param id the move by which the batch counts the endpoint: one that is made, or one that is joined to it
 * @param failure what that batch says of it afterwards
 * @returns the move that it would have stopped, when that can only go forward, has ended, or is stuck
 */
export async function dropReason(
  services: TellServices,
  id: MoveId,
  failure: Failure,
  by: Hold,
): Promise<Move | undefined> {
  const { store, bus, clock } = services;
  const counted = await store.load('move', { id });
  const carrier = counted?.joined?.move ?? id;
  for (;;) {
    const move = await store.load('move', { id: carrier });
    if (move === undefined) break;
    const answer = withoutReason(moveShape(services), move, id, failure, by, clock.now());
    if (answer.kind === 'too-late') return move;
    if (answer.kind === 'so-already') break;
    if ((await store.commit('move', move, answer.move)).kind === 'conflict') continue;
    for (const { phase, afterMs } of answer.effects)
      await bus.sendWork({ kind: 'work', task: carrier, phase }, afterMs);
    break;
  }
  if (carrier !== id) await tellMove(services, id, () => ({ kind: 'abandoned', failure }), by.by);
  return undefined;
}
