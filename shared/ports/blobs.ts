import type { ClaimCheck } from '../domain/batch.ts';

/** Large bodies, kept by their content. */
export interface Blobs {
  /** Stores a JSON value; the same value again is the same claim check. */
  put(value: unknown): Promise<ClaimCheck>;
  /**
   * The value, verified against its hash.
   * @throws StepFailure `claim-check-missing`, `claim-check-altered` or `claim-check-not-json`
   */
  get(check: ClaimCheck): Promise<unknown>;
}
