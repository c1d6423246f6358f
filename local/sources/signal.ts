/** A bell: waiters are woken by the next ring, or by their own time limit. */
export class Signal {
  #waiting: (() => void)[] = [];
  #rings = 0;

  /** How often it rang: read it before looking, and pass it to `wait`, so that no ring is missed between. */
  get rings(): number {
    return this.#rings;
  }

  /** Wakes everyone who waits now. */
  ring(): void {
    this.#rings += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves at the first ring after `since` (by default, from now), or after `ms` milliseconds. */
  async wait(ms: number, since: number = this.#rings): Promise<void> {
    if (since !== this.#rings) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      }, ms);
      this.#waiting.push(wake);
    });
  }
}
