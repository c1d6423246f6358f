/**
 * What one writer knows of its own transactions: which it was told are committed, which answers were lost and
 * what the database said of them afterwards, and how long it went without a commit.
 */

/** Facts of one writer, as plain data that travels between processes. */
export interface WriterHistory {
  readonly writer: number;
  /** Lines 1 to `lines` are known to be committed: acknowledged, or found after their answer was lost. */
  readonly lines: number;
  /** Of these, the ones whose answer was lost. */
  readonly foundCommitted: number;
  /** Lost answers whose transaction turned out not to have happened; each was tried again. */
  readonly foundAbsent: number;
  /** Lines that had been acknowledged and that the database later denied, as seen live. */
  readonly denied: readonly number[];
  /** A line whose answer was lost and whose fate could not be learnt before the writer had to end. */
  readonly unresolved?: number;
  /** Answers that were errors, by SQLSTATE or system code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** A refusal that moving does not explain (a constraint, a missing table), in words. */
  readonly faults: readonly string[];
}

/** The longest time between two commits of a writer. */
export interface Gap {
  readonly ms: number;
  /** When the last commit before it was acknowledged, in milliseconds since the epoch. */
  readonly from: number;
}

/** The amount of a line: any altered, swapped or invented row disagrees with it. */
export function amountOf(writer: number, line: number): number {
  return ((writer * 7919 + line * 104_729) % 2003) - 1000;
}

/** Errors that a client of a database that is being moved, restarted or cut off has to expect. */
const EXPECTED: readonly RegExp[] = [
  /^08/, // connection
  /^57P0/, // terminated, starting, shutting down
  /^55000$/, // the database accepts no connections
  /^53300$/, // too many connections
  /^3D000$/, // no such database: renamed a moment ago
  /^28000$|^42501$/, // connecting is not allowed any more
  /^25006$/, // read-only
  /^40/, // rolled back
  /^58P01$/, // the database's files have gone
  /^E[A-Z]+$/, // the system's own (ECONNREFUSED, ECONNRESET, EPIPE), and ours: ECLOSED, ETIMEDOUT, ELOCATE
];

export function isExpectedRefusal(code: string): boolean {
  return EXPECTED.some((pattern) => pattern.test(code));
}

/** Grows as one writer works. */
export class Recorder {
  readonly #writer: number;
  #lines = 0;
  #foundCommitted = 0;
  #foundAbsent = 0;
  readonly #denied: number[] = [];
  readonly #refusals = new Map<string, number>();
  readonly #faults: string[] = [];
  #acknowledgedAt: number | undefined;
  readonly #gaps: Gap[] = [];

  constructor(writer: number) {
    this.#writer = writer;
  }

  /** Takes over lines that an earlier run of the same writer committed. */
  adopt(lines: number): void {
    this.#lines = lines;
  }

  get lines(): number {
    return this.#lines;
  }

  /** How often it was refused. */
  get refused(): number {
    return [...this.#refusals.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param at milliseconds since the epoch, with fractions */
  acknowledge(line: number, at: number): void {
    this.#advance(line);
    this.#mark(at);
  }

  /** The answer to `line` was lost and the database has been asked. */
  resolve(line: number, committed: boolean, at: number): void {
    if (!committed) {
      this.#foundAbsent += 1;
      return;
    }
    this.#foundCommitted += 1;
    this.#advance(line);
    // The client has learnt only now that it may go on.
    this.#mark(at);
  }

  /** The database stands behind what it had acknowledged: what came after `standsAt` is lost. */
  deny(standsAt: number): void {
    for (let line = standsAt + 1; line <= this.#lines; line += 1) this.#denied.push(line);
    this.#lines = standsAt;
  }

  refuse(code: string, message: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
    if (!isExpectedRefusal(code) && this.#faults.length < 20) this.#faults.push(`${code}: ${message}`);
  }

  #advance(line: number): void {
    if (line !== this.#lines + 1) throw new Error(`line ${line.toString()} after ${this.#lines.toString()}`);
    this.#lines = line;
  }

  #mark(at: number): void {
    if (this.#acknowledgedAt !== undefined) {
      const ms = at - this.#acknowledgedAt;
      // Ordinary gaps are of no interest, and there are hundreds of thousands.
      if (ms > 20) this.#gaps.push({ ms, from: this.#acknowledgedAt });
    }
    this.#acknowledgedAt = at;
  }

  /** Longest gap that touches the window; 0 when none was over 20 ms. A gap that lasts still counts, up to `until`. */
  longestGap(since: number, until: number): Gap {
    const open = this.#acknowledgedAt;
    const gaps =
      open === undefined || until <= open ? this.#gaps : [...this.#gaps, { ms: until - open, from: open }];
    return gaps
      .filter((gap) => gap.from <= until && gap.from + gap.ms >= since)
      .reduce((longest, gap) => (gap.ms > longest.ms ? gap : longest), { ms: 0, from: since });
  }

  /** @param unresolved the line that was under way when the writer had to end, if its fate is not known */
  history(unresolved?: number): WriterHistory {
    return {
      ...(unresolved === undefined ? {} : { unresolved }),
      writer: this.#writer,
      lines: this.#lines,
      foundCommitted: this.#foundCommitted,
      foundAbsent: this.#foundAbsent,
      denied: [...this.#denied],
      refusals: Object.fromEntries(this.#refusals),
      faults: [...this.#faults],
    };
  }
}
