import type { Chance, Clock } from '../ports/clock.ts';

/** How long a service that asks us to slow down is waited for. */
export interface Patience {
  /** Tries in all. */
  readonly tries: number;
  readonly baseMs: number;
  readonly capMs: number;
}

export const defaultPatience: Patience = { tries: 7, baseMs: 40, capMs: 1_500 };

/** Waits before the try after the `nth`: exponential, capped, spread over its whole length. */
export async function pauseAfter(
  nth: number,
  patience: Patience,
  { clock, chance }: { readonly clock: Clock; readonly chance: Chance },
): Promise<void> {
  await clock.sleep(Math.ceil(chance.fraction() * Math.min(patience.capMs, patience.baseMs * 2 ** nth)));
}
