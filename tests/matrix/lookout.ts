import type { Fate, Passage, Sentry } from './passage.ts';

/** The sentry of all proxies: hands everything to whoever is on watch. */
export class Lookout implements Sentry {
  #watch: Sentry | undefined;

  /** From now on this one; nobody when it is left out. */
  post(watch?: Sentry): void {
    this.#watch = watch;
  }

  asked(passage: Passage): Promise<Fate> | Fate {
    return this.#watch?.asked(passage) ?? 'pass';
  }

  sent(passage: Passage): Promise<void> | undefined {
    return this.#watch?.sent(passage);
  }

  answered(passage: Passage, done: readonly boolean[]): Promise<Fate> | Fate {
    return this.#watch?.answered(passage, done) ?? 'pass';
  }
}
