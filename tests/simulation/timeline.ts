/** Something that happens at a time. */
export interface Happening {
  readonly at: number;
  /** Of two at one time the one that was put down first goes first. */
  readonly order: number;
  /** Undefined once it is called off. */
  run: (() => void) | undefined;
}

/**
 * Time of a simulation: it passes only from one happening to the next. Nothing in a simulation waits but for a
 * happening, so the order of all things is the timeline's and not the machine's.
 */
export class Timeline {
  #now: number;
  #order = 0;
  readonly #heap: Happening[] = [];

  /** @param start epoch milliseconds */
  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Happening {
    const happening = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    this.#heap.push(happening);
    this.#rise(this.#heap.length - 1);
    return happening;
  }

  /** Takes the next happening, and goes to its time. */
  next(): (() => void) | undefined {
    for (;;) {
      const happening = this.#pop();
      if (happening === undefined) return undefined;
      if (happening.run === undefined) continue;
      this.#now = happening.at;
      return happening.run;
    }
  }

  #pop(): Happening | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#sink(0);
    return first;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const [left, right] = [at * 2 + 1, at * 2 + 2];
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, at)) return;
      at = child;
    }
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    if (!this.#isEarlier(lower, upper)) return false;
    const [down, up] = [this.#heap[upper], this.#heap[lower]];
    if (down === undefined || up === undefined) return false;
    this.#heap[upper] = up;
    this.#heap[lower] = down;
    return true;
  }

  #isEarlier(one: number, other: number): boolean {
    const [mine, its] = [this.#heap[one], this.#heap[other]];
    if (mine === undefined) return false;
    if (its === undefined) return true;
    return mine.at < its.at || (mine.at === its.at && mine.order < its.order);
  }
}

/** Lets everything run that waits for nothing, so that the next happening finds the world at rest. */
export const rest = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
