import type { Failure } from './failure.ts';

/**
 * What is known of a message that its function failed on: why, how often, and what a person did with it once it had
 * been set aside. The message itself lies in its queue.
 */
export interface Letter {
  /** As the queue calls the message. */
  readonly message: string;
  /** Which of our queues, e.g. `transfer`. */
  readonly queue: string;
  /** How often it had been received when it last failed. */
  readonly receives: number;
  /** Why it last failed; absent when its function never said a word. */
  readonly failure?: Failure;
  /** Its queue delivers it no more: it has failed as often as it may. */
  readonly setAside?: true;
  /** Epoch milliseconds: of the last failure, or of what was done with it. */
  readonly at: number;
  readonly deed?: LetterDeed;
  readonly version: number;
}

/** What a person did with a dead letter, and why. */
export interface LetterDeed {
  /** `redriven`: sent to its queue again. `discarded`: thrown away. */
  readonly kind: 'redriven' | 'discarded';
  readonly by: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}
