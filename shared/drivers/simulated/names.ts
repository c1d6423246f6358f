import type { MoveJob } from '../../ports/driver.ts';
import type { Mark } from './protocol.ts';

/** Names of what one run of a move makes on its hosts: each says whose it is. */
export interface MoveNames {
  /** The target database until its schema is there. */
  readonly provisional: string;
  /** The source database once it is closed for good. */
  readonly retained: string;
  /** Publication, slot and subscription. */
  readonly stream: string;
  readonly mark: Mark;
}

export function moveNames({
  installation,
  move,
  run,
}: Pick<MoveJob, 'installation' | 'move' | 'run'>): MoveNames {
  const base = `dray_${installation}_${move.slice('mv_'.length)}_${String(run)}`;
  return {
    provisional: base,
    retained: `${base}_r`,
    stream: `${base}_s0`,
    mark: { installation, move, run },
  };
}
