import { decide } from '../../domain/decide.ts';
import type { Fact } from '../../domain/fact.ts';
import type { MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { IgnoredBecause } from '../../domain/transition.ts';
import { moveShape } from '../move-endpoint/workflow.ts';
import type { Services } from '../services.ts';

export type TellServices = Pick<Services, 'store' | 'bus' | 'clock' | 'settings'>;

export type Told =
  | { readonly kind: 'told'; readonly move: Move }
  /** It changes nothing. */
  | { readonly kind: 'ignored'; readonly why: IgnoredBecause; readonly move: Move };

/**
 * Tells a move a fact that is not a worker's, and sends on what follows from it.
 * @param factOf undefined: as the move stands, nothing is to be told
 * @param by who tells it, for the history
 * @returns undefined when there is no such move, or nothing to tell
 */
export async function tellMove(
  services: TellServices,
  id: MoveId,
  factOf: (move: Move) => Fact | undefined,
  by: string,
): Promise<Told | undefined> {
  const { store, bus, clock } = services;
  for (;;) {
    const move = await store.load('move', { id });
    const fact = move === undefined ? undefined : factOf(move);
    if (move === undefined || fact === undefined) return undefined;
    const decision = decide(moveShape(services), move.execution, fact, clock.now(), by);
    if (decision.kind === 'ignored') return { kind: 'ignored', why: decision.why, move };
    const answer = await store.commit('move', move, { ...move, execution: decision.execution });
    if (answer.kind === 'conflict') continue;
    for (const { phase, afterMs } of decision.effects)
      await bus.sendWork({ kind: 'work', task: id, phase }, afterMs);
    return { kind: 'told', move: answer.record };
  }
}
