import type { Network } from '../../shared/drivers/simulated/network.ts';
import type { Surroundings } from './process.ts';
import type { Standing } from './records.ts';
import { password } from './ports.ts';

/** A write that a host has taken. */
export interface Written {
  readonly writer: string;
  readonly seq: number;
}

/**
 * Tenants' applications, one for each endpoint. Each writes now and then where it last found its endpoint, looks
 * it up again when it is refused, and sometimes keeps a transaction open for a while.
 */
export class Clients {
  /** By database, every write that was taken, in the order of the answers. */
  readonly written = new Map<string, Written[]>();
  readonly #around: Surroundings;
  readonly #standing: Standing;
  readonly #network: Network;
  readonly #links = new Set<string>();
  #areWriting = true;

  constructor(around: Surroundings, standing: Standing) {
    this.#around = around;
    this.#standing = standing;
    this.#network = around.network;
  }

  /** What was there before anybody began counts as written. */
  remember(): void {
    for (const change of this.#network.acknowledged) this.#remember(change);
  }

  /** An application of this endpoint begins to write. */
  begin(endpoint: string, database: string, everyMs: number): void {
    const { timeline, dice } = this.#around;
    const state = { seq: 0, slowSeq: 0, home: this.#homeOf(endpoint) };
    const turn = (): void => {
      if (!this.#areWriting) return;
      if (dice.chance(0.15)) {
        this.#writeSlowly(database, state.home, state.slowSeq + 1, () => (state.slowSeq += 1));
      } else if (this.#write(database, state.home, state.seq + 1)) {
        state.seq += 1;
      } else {
        state.home = this.#homeOf(endpoint);
      }
      timeline.after(dice.between(1, everyMs * 2), turn);
    };
    timeline.after(dice.between(1, everyMs), turn);
  }

  end(): void {
    this.#areWriting = false;
  }

  #homeOf(endpoint: string): string {
    return this.#standing.placements.get(`ENDPOINT#${endpoint} ENDPOINT`)?.host ?? '';
  }

  #write(database: string, host: string, seq: number): boolean {
    const change = { database, writer: 'app', seq };
    const reply = this.#network.write(host, change, this.#around.timeline.now);
    this.#note(`writes ${database} ${String(seq)} on ${host}: ${reply.kind}`);
    if (reply.kind !== 'answer') return false;
    this.#remember(change);
    return true;
  }

  /** A transaction that begins now and commits later, if it is let. One at a time. */
  #writeSlowly(database: string, host: string, seq: number, done: () => void): void {
    const { timeline, dice } = this.#around;
    if (this.#links.has(database)) return;
    const caller = { link: `client ${database}`, password, options: {} };
    const change = { database, writer: 'slow', seq };
    const begun = this.#network.ask(host, caller, 'begin', change, timeline.now);
    if (begun.kind !== 'answer') return;
    this.#links.add(database);
    const { transaction } = begun.output;
    timeline.after(dice.between(10, 2_500), () => {
      this.#links.delete(database);
      const reply = this.#network.ask(host, caller, 'commit', { transaction }, timeline.now);
      this.#note(`commits ${database} slow ${String(seq)} on ${host}: ${reply.kind}`);
      if (reply.kind !== 'answer') return;
      this.#network.acknowledged.push(change);
      this.#remember(change);
      done();
    });
  }

  #remember({ database, writer, seq }: Written & { readonly database: string }): void {
    const written = this.written.get(database) ?? [];
    this.written.set(database, written);
    written.push({ writer, seq });
  }

  #note(what: string): void {
    this.#around.touched.world = true;
    this.#around.trace.add(this.#around.timeline.now, `a client ${what}`);
  }
}
