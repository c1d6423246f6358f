/** Passwords by reference, fetched when needed and kept nowhere. */
export interface Secrets {
  /** @throws StepFailure `secret-missing` when there is none of that reference */
  fetch(reference: string): Promise<string>;
}
