import type { Execution } from '../domain/execution.ts';
import { isSettled, labelOf, type Move } from '../domain/move.ts';
import type { Meter } from '../ports/meter.ts';

/**
 * What became of moves, whoever has turned or ended them. A stream that tells something twice is counted twice: the
 * rows say how it is.
 */
export function noteTurns(
  meter: Meter,
  changes: readonly { readonly before?: Move; readonly after?: Move }[],
): void {
  for (const { before, after } of changes) {
    // One that another takes along ends with that one.
    if (after === undefined || after.joined !== undefined) continue;
    const from = before === undefined ? undefined : labelOf(before.execution);
    const to = labelOf(after.execution);
    if (to === 'rolling-back' && from !== to) meter.note('RollbacksBegun', 1);
    if (isSettled(to) && from !== to) meter.note('MovesEnded', 1, { outcome: to });
    if (isQuarantined(after.execution) && !(before !== undefined && isQuarantined(before.execution)))
      meter.note('MovesQuarantined', 1);
  }
}

const isQuarantined = ({ status }: Execution): boolean =>
  'reason' in status && status.reason.quarantined === true;
