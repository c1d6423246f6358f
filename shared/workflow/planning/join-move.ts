import type { Batch } from '../../domain/batch.ts';
import type { HostName, MoveId } from '../../domain/ids.ts';
import { obstacleToJoining, reasonOf, withReason, type Joining } from '../../domain/move-reasons.ts';
import type { Move } from '../../domain/move.ts';
import { planHostOf } from '../../domain/planning/snapshot.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';

type ReadServices = Pick<Services, 'store'> & Partial<Pick<Services, 'log'>>;
type JoinServices = ReadServices & Pick<Services, 'clock'>;

export type Joined =
  | { readonly kind: 'joined'; readonly move: Move }
  /** It is not what is asked for; `why` completes "by mv_…, …". */
  | { readonly kind: 'unfit'; readonly why?: string };

/**
 * Adds a batch's reason to the move that another one makes of the same endpoint, where that is what it asks for.
 * Safe to repeat.
 *
 * @param as the move by which the batch will count the endpoint
 */
export async function joinMove(
  services: JoinServices,
  batch: Batch,
  as: MoveId,
  carrier: MoveId,
  asked: Joining,
): Promise<Joined> {
  const { store, clock } = services;
  for (;;) {
    const [move] = await loadReadable(services, 'move', [{ id: carrier }]);
    const why = await obstacle(services, move, asked);
    if (move === undefined || move === 'unreadable' || why !== undefined) return { kind: 'unfit', ...why };
    const [home] = await loadReadable(services, 'batch', [{ id: move.batch }]);
    if (home === undefined || home === 'unreadable') return { kind: 'unfit' };
    const after = withReason(move, reasonOf(home, move.id), reasonOf(batch, as), clock.now());
    if (after === move) return { kind: 'joined', move };
    const answer = await store.commit('move', move, after);
    if (answer.kind === 'committed') return { kind: 'joined', move: answer.record };
  }
}

/** Why a move is not what is asked for; undefined: it is. */
export async function obstacleTo(
  services: ReadServices,
  carrier: MoveId,
  asked: Joining,
): Promise<{ readonly why?: string } | undefined> {
  const [move] = await loadReadable(services, 'move', [{ id: carrier }]);
  return obstacle(services, move, asked);
}

async function obstacle(
  services: ReadServices,
  move: Move | 'unreadable' | undefined,
  asked: Joining,
): Promise<{ readonly why?: string } | undefined> {
  if (move === undefined || move === 'unreadable') return {};
  const why = obstacleToJoining(move, asked) ?? (await closure(services, move.target));
  return why === undefined ? undefined : { why };
}

/** A host that takes nothing new is nobody's legal target, whatever is on its way there. */
async function closure(services: ReadServices, target: HostName): Promise<string | undefined> {
  const [host] = await loadReadable(services, 'host', [{ name: target }]);
  if (host === undefined || host === 'unreadable') return `to ${target}, which cannot be read`;
  const { closed } = planHostOf(host);
  if (closed === undefined) return undefined;
  return `to ${target}, which ${closed === 'failed' ? 'has failed' : `is ${closed}`}`;
}
