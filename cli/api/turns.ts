import type { Clock } from '../../shared/ports/clock.ts';

/** At once. */
const lanes = 8;
/** In a second; a usage plan allows 100, and others look on too. */
const perSecond = 50;
/** That may go at once when nothing was asked for a while. */
const burst = 100;

/** Lets questions go by turns: a few at once, and no more in a second than leave room for others. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #free = lanes;
  #left = burst;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    try {
      await this.#allowance();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Takes one of what may be asked now; what is overdrawn is waited for. */
  async #allowance(): Promise<void> {
    const now = this.#clock.now();
    const since = Math.max(0, now - this.#at);
    this.#left = Math.min(burst, this.#left + (since * perSecond) / 1_000) - 1;
    this.#at = now;
    if (this.#left < 0) await this.#clock.sleep(Math.ceil((-this.#left * 1_000) / perSecond));
  }
}
