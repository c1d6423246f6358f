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
