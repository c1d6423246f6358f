/** Who holds something back, since when (epoch milliseconds), and why. */
export interface Hold {
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** That a cutover is held, or may go; of what was said of a move and of its batch the latest word stands. */
export interface CutoverWord extends Hold {
  readonly kind: 'held' | 'released';
}

/** Something that can be held back and let go again; no more than one of the two stands. */
export interface Pausable {
  readonly paused?: Hold;
  readonly resumed?: Hold;
}

export type PauseWord = 'pause' | 'resume';

/**
 * What stands once somebody has said that it is to be held back, or let go: of one publisher's words the latest, in
 * whatever order they arrive. Clocks of two publishers differ, so a pause that comes from another one than what stands
 * counts however late its clock is; an end of it has to be later by the clocks too. That it is let go is noted also of what was never held back: a pause that was said before and comes late
 * is then known to be over.
 *
 * @returns `so-already` when nothing changes; `said-later` when a later word says otherwise
 */
export function said(
  { paused, resumed }: Pausable,
  word: PauseWord,
  by: Hold,
): Pausable | 'so-already' | 'said-later' {
  const [same, other] = word === 'pause' ? [paused, resumed] : [resumed, paused];
  if (other !== undefined && other.at > by.at) {
    if (word === 'resume' || other.by === by.by) return 'said-later';
    return { paused: { ...by, at: other.at } };
  }
  if (same !== undefined && same.at >= by.at) return 'so-already';
  return word === 'pause' ? { paused: by } : { resumed: by };
}
