import { signal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Api } from './api.ts';
import { backOffMs } from './back-off.ts';
import { connection, disconnect, type Connection } from './connection.ts';
import { isShutOut, troubleOf, type Trouble } from './trouble.ts';

/** What is known of something, and how fresh that is. Times in epoch milliseconds. */
export interface Reading<T> {
  readonly value?: T;
  /** When it was read. */
  readonly at?: number;
  /** Why the last try brought nothing newer. */
  readonly failing?: Trouble & { readonly tries: number; readonly nextAt: number };
}

/** How something is read, again and again. */
export interface Source<T> {
  /** @param tell hears what is known before all of it is */
  readonly read: (api: Api, tell: (value: T) => void) => Promise<T>;
  /** How soon again, in milliseconds, after this was read. */
  readonly everyMs: (value: T) => number;
}

/** The freshness of what is on the screen, and the way to ask at once. */
export interface Freshness {
  readonly reading: Reading<unknown>;
  readonly tryNow: () => void;
}
export const freshness = signal<Freshness | undefined>(undefined);

class Feed<T> {
  readonly #connection: Connection;
  readonly #source: Source<T>;
  readonly #isAside: boolean;
  readonly #reading = signal<Reading<T>>({});
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: AbortController | undefined;
  #tries = 0;

  constructor(to: Connection, source: Source<T>, isAside: boolean) {
    this.#connection = to;
    this.#source = source;
    this.#isAside = isAside;
  }

  get reading(): ReadonlySignal<Reading<T>> {
    return this.#reading;
  }

  /** Reads now, and from then on. @returns what ends it */
  start(): () => void {
    const wake = (): void => {
      if (document.visibilityState === 'visible') this.now();
    };
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
    this.now();
    return () => {
      removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
      clearTimeout(this.#timer);
      this.#turn?.abort();
    };
  }

  /** Reads at once, unless it is at it. */
  readonly now = (): void => {
    if (this.#turn !== undefined) return;
    clearTimeout(this.#timer);
    void this.#read(new AbortController());
  };

  async #read(turn: AbortController): Promise<void> {
    this.#turn = turn;
    try {
      const value = await this.#source.read(new Api(this.#connection, turn.signal), (early) => {
        if (!turn.signal.aborted && this.#tries === 0) this.#say({ value: early, at: Date.now() });
      });
      if (turn.signal.aborted) return;
      this.#tries = 0;
      this.#say({ value, at: Date.now() });
      this.#again(this.#source.everyMs(value));
    } catch (error) {
      if (turn.signal.aborted) return;
      const trouble = troubleOf(error);
      if (isShutOut(trouble)) {
        disconnect();
        return;
      }
      this.#tries += 1;
      const waitMs = backOffMs(this.#tries, Math.random());
      const { failing: _, ...known } = this.#reading.value;
      this.#say({ ...known, failing: { ...trouble, tries: this.#tries, nextAt: Date.now() + waitMs } });
      this.#again(waitMs);
    } finally {
      this.#turn = undefined;
    }
  }

  #say(reading: Reading<T>): void {
    this.#reading.value = reading;
    if (!this.#isAside) freshness.value = { reading, tryNow: this.now };
  }

  #again(ms: number): void {
    this.#timer = setTimeout(this.now, ms);
  }
}

/**
 * What a view shows, read for as long as the view is there.
 * @param make a source for what `key` names
 * @param place `aside`: beside what the view is about, and by whose freshness nobody goes
 */
export function useFeed<T>(
  key: string,
  make: () => Source<T>,
  place: 'view' | 'aside' = 'view',
): { readonly reading: Reading<T>; readonly now: () => void } {
  const to = connection.value;
  const feed = useMemo(() => {
    if (to === undefined || to === null) throw new Error('a view is shown without a connection');
    return new Feed(to, make(), place === 'aside');
  }, [to, key]);
  useEffect(() => {
    if (place === 'view') freshness.value = undefined;
    return feed.start();
  }, [feed]);
  return { reading: feed.reading.value, now: feed.now };
}
