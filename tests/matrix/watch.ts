import type { Fate, Passage, Sentry } from './passage.ts';
import type { Strike } from './strike.ts';

export interface WatchOptions {
  readonly strike: Strike;
  readonly source: string;
  /** Done once, while the statement is held that is about to close the source; undefined for nothing. */
  readonly beforeFence: (() => Promise<void>) | undefined;
  /** Done once, while the worker that is about to drop the source's copy is held. */
  readonly beforeRetire: () => Promise<void>;
}

/** The watch over one cell: its strike, and what has to be done at two more moments of the move. */
export class Watch implements Sentry {
  readonly #options: WatchOptions;
  #fencing: Promise<void> | undefined;
  #retiring: Promise<void> | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async asked(passage: Passage): Promise<Fate> {
    const { strike, beforeFence, beforeRetire } = this.#options;
    if (beforeFence !== undefined && this.#fences(passage)) await (this.#fencing ??= beforeFence());
    if (this.#retires(passage)) await (this.#retiring ??= beforeRetire());
    return strike.asked(passage);
  }

  sent(passage: Passage): Promise<void> | undefined {
    return this.#options.strike.sent(passage);
  }

  answered(passage: Passage, done: readonly boolean[]): Promise<Fate> {
    return this.#options.strike.answered(passage, done);
  }

  #fences(passage: Passage): boolean {
    if (passage.kind !== 'statement' || passage.host !== this.#options.source) return false;
    return /^ALTER DATABASE .* ALLOW_CONNECTIONS false$/.test(passage.text);
  }

  #retires(passage: Passage): boolean {
    if (passage.kind !== 'writes') return false;
    return passage.rows.some((row) => {
      const commit = this.#options.strike.course.read(row);
      return commit?.fact === 'claimed' && commit.state === 'running' && commit.step === 'retire';
    });
  }
}
