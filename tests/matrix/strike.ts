import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../../local/cloud.ts';
import { effects, type Cell, type Mark } from './cells.ts';
import { Course, type Commit } from './course.ts';
import type { Fate, Passage, Sentry } from './passage.ts';

/** A stopped process whose work nobody takes over is continued after so many milliseconds: the cell has failed. */
const TAKEOVER_LIMIT_MS = 20_000;

export interface StrikeOptions {
  readonly cell: Cell;
  readonly endpoint: string;
  readonly source: string;
  readonly target: string;
  readonly leaseMs: number;
  readonly cloud: Pick<Cloud, 'environments'>;
}

interface Holder {
  readonly pid: number;
  readonly token: number;
}

/** Waits for the moment of a cell, in what one move's worker says to the table and the hosts, and strikes it. */
export class Strike implements Sentry {
  readonly #options: StrikeOptions;
  readonly #course: Course;
  /** How far each connection has come with the patterns. */
  readonly #come = new Map<string, number>();
  #sawEarlier = false;
  /** What carries the moment. */
  #carrier: Passage | undefined;
  #holder: Holder | undefined;
  #struck: Holder | undefined;
  #takenOver = false;
  #wasGivenUp = false;
  readonly #continued = new AbortController();

  constructor(options: StrikeOptions) {
    this.#options = options;
    this.#course = new Course(options.endpoint);
  }

  get course(): Course {
    return this.#course;
  }

  /** The moment came, and the process was struck. */
  get hasHit(): boolean {
    return this.#struck !== undefined;
  }

  /** Another worker has claimed the move after the strike. */
  get wasTakenOver(): boolean {
    return this.#takenOver;
  }

  /** It was stopped, and in all the time that it was given nobody went on with the move. */
  get wasGivenUp(): boolean {
    return this.#wasGivenUp;
  }

  asked(passage: Passage): Promise<Fate> | Fate {
    if (this.#struck !== undefined || !this.#carries(passage)) return 'pass';
    this.#carrier = passage;
    const { moment } = this.#options.cell;
    return moment === 'before-effect' || moment === 'before-commit' ? this.#strike() : 'pass';
  }

  sent(passage: Passage): Promise<void> | undefined {
    if (passage !== this.#carrier || this.#options.cell.moment !== 'during-effect') return undefined;
    return this.#strike().then(() => undefined);
  }

  async answered(passage: Passage, done: readonly boolean[]): Promise<Fate> {
    await this.#follow(passage, done);
    if (passage !== this.#carrier || this.#struck !== undefined) return 'pass';
    if (!done.includes(true)) {
      // It came to nothing: the moment is still ahead.
      this.#carrier = undefined;
      this.#come.clear();
      return 'pass';
    }
    return this.#strike();
  }

  /** The move has ended: whoever is still stopped is continued, and has come to rest when this resolves. */
  async finish(): Promise<void> {
    this.#continued.abort();
    const { pid } = this.#struck ?? {};
    const isBusy = async (): Promise<boolean> =>
      (await this.#options.cloud.environments()).some((it) => it.pid === pid && it.state === 'busy');
    while (pid !== undefined && (await isBusy())) await sleep(50);
  }

  async #follow(passage: Passage, done: readonly boolean[]): Promise<void> {
    if (passage.kind !== 'writes') return;
    for (const [at, row] of passage.rows.entries()) {
      const commit = this.#course.read(row);
      if (commit === undefined || done[at] !== true) continue;
      this.#course.follow(commit);
      if (commit.fact === 'claimed') await this.#welcome(commit);
    }
  }

  /** A worker has claimed the move: which process is it? */
  async #welcome({ lease }: Commit): Promise<void> {
    if (lease === undefined) return;
    if (this.#struck !== undefined && lease.token > this.#struck.token) {
      this.#takenOver = true;
      if (this.#options.cell.kind === 'stop') this.#continued.abort();
    }
    const environments = await this.#options.cloud.environments();
    const pid = environments.find(({ requestId }) => requestId === lease.owner)?.pid;
    this.#holder = pid === undefined ? undefined : { pid, token: lease.token };
  }

  #carries(passage: Passage): boolean {
    const { stage, moment } = this.#options.cell;
    if (moment === 'before-commit' || moment === 'after-commit') {
      if (passage.kind !== 'writes') return false;
      return passage.rows.some((row) => {
        const commit = this.#course.read(row);
        return commit !== undefined && this.#course.ends(stage, commit);
      });
    }
    if (!this.#course.isIn(stage)) return false;
    const mark = effects[stage][part[moment]];
    if (mark.since !== undefined && !this.#sawEarlier) {
      this.#sawEarlier = this.#shows(passage, mark.since, 0);
      return false;
    }
    const line = passage.kind === 'writes' ? '' : `${passage.host} ${String(passage.line)}`;
    const come = this.#come.get(line) ?? 0;
    if (!this.#shows(passage, mark, come)) return false;
    this.#come.set(line, come + 1);
    return come + 1 === mark.like.length;
  }

  #shows(passage: Passage, { at, like }: Mark, place: number): boolean {
    if (passage.kind === 'statement')
      return (
        at !== 'table' && passage.host === this.#options[at] && test(like[place], passage.text.trimStart())
      );
    const texts = passage.rows.map(({ pk, sk, text, set }) => `${pk} ${sk} ${text} ${JSON.stringify(set)}`);
    return at === 'table' && texts.some((text) => test(like[place], text));
  }

  async #strike(): Promise<Fate> {
    const holder = this.#holder;
    // Nobody is known to hold the move: then the strike has missed, and says so.
    if (holder === undefined) return 'pass';
    this.#struck = holder;
    if (this.#options.cell.kind === 'kill') {
      process.kill(holder.pid, 'SIGKILL');
      while ((await this.#options.cloud.environments()).some(({ pid }) => pid === holder.pid)) await sleep(5);
      return 'drop';
    }
    process.kill(holder.pid, 'SIGSTOP');
    const lease = sleep(this.#options.leaseMs);
    const limit = this.#options.cell.kind === 'stop' ? TAKEOVER_LIMIT_MS : 3 * TAKEOVER_LIMIT_MS;
    await sleep(limit, undefined, { signal: this.#continued.signal }).then(
      () => (this.#wasGivenUp = true),
      () => undefined,
    );
    await lease;
    process.kill(holder.pid, 'SIGCONT');
    return 'pass';
  }
}

const test = (like: RegExp | undefined, text: string): boolean => like?.test(text) === true;

const part = {
  'before-effect': 'begin',
  'during-effect': 'middle',
  'after-effect': 'end',
} as const;
