import { decide } from '../domain/decide.ts';
import type { Failure } from '../domain/failure.ts';
import { isMoveId } from '../domain/ids.ts';
import type { WorkMessage } from '../ports/bus.ts';
import type { Services } from './services.ts';
import { moveShape } from './move-endpoint/workflow.ts';

/**
 * Ends a move whose messages fail with the same error again and again, outside of its steps: nobody else would, and
 * the sweep would send one more for ever. Undone where it still can be, else stuck; with the reason, and its batch
 * goes on. Idempotent; of a move that somebody else has taken further meanwhile nothing is changed.
 *
 * @param by who failed on it, for the history
 * @throws StoreUnavailable, RowUnreadable
 */
export async function setAside(
  services: Pick<Services, 'store' | 'bus' | 'clock' | 'log' | 'settings'>,
  { task, phase }: Pick<WorkMessage, 'task' | 'phase'>,
  failure: Failure,
  by: string,
): Promise<void> {
  const { store, bus, clock, log } = services;
  if (!isMoveId(task)) return;
  const move = await store.load('move', { id: task });
  if (move === undefined) return;
  const decision = decide(
    moveShape(services),
    move.execution,
    { kind: 'poisoned', phase, failure },
    clock.now(),
    by,
  );
  if (decision.kind === 'ignored') return;
  const answer = await store.commit('move', move, { ...move, execution: decision.execution });
  if (answer.kind === 'conflict') return;
  log.error('a move is set aside: its messages fail again and again', {
    move: task,
    batch: move.batch,
    endpoint: move.endpoint,
    phase,
    ...failure,
  });
  for (const effect of decision.effects) {
    await bus.sendWork({ kind: 'work', task, phase: effect.phase }, effect.afterMs);
  }
}
