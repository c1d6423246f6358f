import type { Host } from './host.ts';

/** An operation's surroundings. */
export interface Scene {
  readonly host: Host;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The connection that it came over: sessions end with it. */
  readonly link: string;
  /** Another host, as this one reaches it; undefined when it does not. */
  readonly peer: (url: string) => Host | undefined;
}
