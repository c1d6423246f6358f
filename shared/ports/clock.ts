/** Time. Nothing else tells it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms`, at once when `signal` is aborted. Never rejects. Leaves no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `tick` every `ms` until the returned function is called. */
  every(ms: number, tick: () => void): () => void;
}

/** Chance and identity. */
export interface Chance {
  /** In [0, 1). */
  fraction(): number;
  /** A new identity, for invocations and the like. */
  unique(): string;
  /** SHA-256 of the parts, each set off from the next, in lower-case hexadecimal. */
  digest(...parts: readonly string[]): string;
}
