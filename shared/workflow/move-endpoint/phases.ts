import type { MoveSession } from '../../ports/driver.ts';
import { cutoverPhase } from './cutover-phase.ts';
import { retirePhase } from './retire.ts';
import { rollbackPhase } from './rollback.ts';
import { transferPhase } from './transfer.ts';
import type { Phase } from './workflow.ts';

/** Every phase of a move, for those who have whole drivers in their hands. Functions know their own alone. */
const phases: readonly Phase<MoveSession>[] = [transferPhase, cutoverPhase, retirePhase, rollbackPhase];

/** @throws RangeError for a phase that moves do not have */
export function phaseNamed(name: string): Phase<MoveSession> {
  const phase = phases.find((each) => each.name === name);
  if (phase === undefined) throw new RangeError(`a move has no phase "${name}"`);
  return phase;
}
