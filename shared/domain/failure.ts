/**
 * What went wrong, in a shape that can stand in a row, in a log and before a person: a stable code, one
 * sentence that names what is wrong, and the cure. Never a secret.
 */
export interface Failure {
  readonly code: string;
  readonly sentence: string;
  readonly cure: string;
  /** The host that it is about, where it is about one. */
  readonly host?: string;
  /**
   * The move was set aside because the same would come again: nothing plans its endpoint by itself until a person
   * asks for it. Absent where the move was kept from going on by something else: a host that is down, or a person.
   */
  readonly quarantined?: true;
}

/**
 * What a failure means for the work that met it:
 * - `retry`: may pass by itself; counts as an attempt of the step
 * - `host-down`: the host did not answer, its state is unknown; waits, and charges nobody
 * - `throttled`: we asked too much; waits, and charges nobody
 * - `fail`: will not pass without a person; no further attempt is made
 */
export type Verdict = 'retry' | 'host-down' | 'throttled' | 'fail';

/** Thrown by steps and drivers; everything else that is thrown counts as `retry` with code `unexpected`. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly failure: Failure;
  readonly verdict: Verdict;

  constructor(failure: Failure, verdict: Verdict, options?: { readonly cause?: unknown }) {
    super(`${failure.code}: ${failure.sentence}`, options);
    this.failure = failure;
    this.verdict = verdict;
  }
}

/**
 * The session into the fenced source is gone (its worker died, or the connection dropped). Nothing can be
 * read from inside the fence any more: the step goes back to before the freeze, which thaws first.
 */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

/** Another worker holds a newer token for this database: whoever sees this stops at once and changes nothing. */
export class TokenSuperseded extends Error {
  override readonly name = 'TokenSuperseded';
}
