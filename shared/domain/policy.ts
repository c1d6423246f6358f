import type { MaintenanceWindow } from './window.ts';

/** How a batch moves its endpoints. Every field has a default (contracts); durations are in milliseconds. */
export interface MovePolicy {
  /** Roles that the database needs on the target: they must be there, or are copied. */
  readonly roles: 'require' | 'copy';
  /** A freeze that is predicted to take longer is put off. */
  readonly pauseBudgetMs: number;
  /** Catch-up is over when less than this many bytes are left to apply. */
  readonly lagLimitBytes: number;
  /** The fenced source copy is kept this long after the move. */
  readonly retentionMs: number;
  /** May the endpoint be closed for the whole copy where the source cannot replicate? */
  readonly offline: 'refuse' | 'allow';
}

/** How a batch goes as a whole, beside how each of its endpoints moves. What is absent asks for nothing. */
export interface BatchPolicy extends MovePolicy {
  /** Nothing of it begins before somebody other than its author has approved of it. */
  readonly approval?: 'required';
  /** Each of its moves waits before its cutover until it is released. */
  readonly holdBeforeCutover?: true;
  /** Nothing of it begins before somebody starts it. */
  readonly start?: 'manual';
  /** Nothing of it begins before this time (epoch milliseconds), unless somebody starts it. */
  readonly startAt?: number;
  /** Its moves begin, and cut over, only while this is open. */
  readonly window?: MaintenanceWindow;
}

/** What each move takes along of its batch's policy. */
export const movePolicyOf = ({
  roles,
  pauseBudgetMs,
  lagLimitBytes,
  retentionMs,
  offline,
}: BatchPolicy): MovePolicy => ({ roles, pauseBudgetMs, lagLimitBytes, retentionMs, offline });
