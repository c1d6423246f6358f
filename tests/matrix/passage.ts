/** What passes between a function and the table or a host, as the proxies of the matrix see it. */

/** A row as a request writes it. */
export interface RowWrite {
  readonly pk: string;
  readonly sk: string;
  /** The attributes that it sets, as plain values. */
  readonly set: Readonly<Record<string, unknown>>;
  /** The expression, with names and without values. */
  readonly text: string;
}

/** `line` tells the connections to a host apart. */
export type Passage =
  | { readonly kind: 'statement'; readonly host: string; readonly line: number; readonly text: string }
  | { readonly kind: 'writes'; readonly rows: readonly RowWrite[] };

/** `drop` ends the connection instead. */
export type Fate = 'pass' | 'drop';

/** Who stands between the two sides. A promise holds the message until it resolves. */
export interface Sentry {
  /** Before the other side has heard of it. */
  asked(passage: Passage): Promise<Fate> | Fate;
  /** It has just been sent on; its answer is held until this resolves. */
  sent(passage: Passage): Promise<void> | undefined;
  /**
   * The answer is here, and has not been handed over.
   * @param done for each row, or the statement: whether it took effect
   */
  answered(passage: Passage, done: readonly boolean[]): Promise<Fate> | Fate;
}
