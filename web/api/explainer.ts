import type * as z from 'zod';
import { explanationAnswer } from '../../shared/contracts/api/explanations.ts';
import type { Api } from './api.ts';
import { isShutOut, troubleOf, type Trouble } from './trouble.ts';

export type Explanation = z.output<typeof explanationAnswer>;

/** Why something does not go on, or why that cannot be told just now: then all else is shown without it. */
export interface Explained {
  readonly explanation?: Explanation;
  readonly trouble?: Trouble;
}

/** An explanation is put together from many rows: it is asked for again after so many milliseconds, or for a reason. */
const everyMs = 4_000;

/** Asks for the explanation of one thing, no more often than it takes. */
export class Explainer {
  readonly #path: string;
  #known: Explained = {};
  #askedAt = -Infinity;
  #askedOf = '';

  /** @param path of the thing: `/moves/mv_…` */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * @param state what is known of the thing: when that is another one, it is asked again at once
   * @throws Unanswered when the key is no good
   */
  async explain(api: Api, state: string): Promise<Explained> {
    if (state === this.#askedOf && Date.now() - this.#askedAt < everyMs) return this.#known;
    this.#askedAt = Date.now();
    this.#askedOf = state;
    try {
      this.#known = { explanation: await api.get(`${this.#path}/explanation`, explanationAnswer) };
    } catch (error) {
      const trouble = troubleOf(error);
      if (isShutOut(trouble)) throw error;
      this.#known = { trouble };
    }
    return this.#known;
  }
}
