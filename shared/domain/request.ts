import type { ClaimCheck } from './batch.ts';
import type { BatchId } from './ids.ts';
import type { EventHead } from './event.ts';
import type { Failure } from './failure.ts';
import type { Traced } from './trace.ts';

/**
 * Where a request is kept whose id an earlier one with another body has taken. There is a space in it, so that no
 * publisher's own id can be the same.
 */
export function besideId({ id, bodyHash }: Pick<EventHead, 'id' | 'bodyHash'>): string {
  return `${id} ~${bodyHash.slice(0, 12)}`;
}

/** What became of a request. Kept under its publisher's source and id, so that a repeat finds it. */
export interface RequestRecord extends Traced {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** SHA-256 of the body: the same id with another body is refused. */
  readonly bodyHash: string;
  /** Why, as its publisher says. */
  readonly reason?: string;
  readonly outcome:
    | { readonly kind: 'pending' }
    | { readonly kind: 'accepted'; readonly batch?: BatchId }
    | { readonly kind: 'refused'; readonly failure: Failure; readonly field?: string };
  /** What was wrong with each line of a manifest that was refused. */
  readonly report?: ClaimCheck;
  /**
   * Of one that was posted to the API: where to, and the text of the body. It is taken only when it comes back as the
   * event that this makes.
   */
  readonly posted?: { readonly to: string; readonly body: string };
  readonly receivedAt: number;
  readonly version: number;
}
