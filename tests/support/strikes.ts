import type { HostCall } from './noted-driver.ts';
import type { Statement } from './statement-hook.ts';

/** A point in the work of a move. */
export interface Moment {
  readonly call: HostCall;
  /** The first statement of the mover in this call that matches; without it, just before the call. */
  readonly statement?: RegExp;
  /** The host that the statement is for; both without it. */
  readonly on?: 'source' | 'target';
  /** Default: once the server has answered it. */
  readonly when?: 'before' | 'after';
}

/** What a test does to hosts, wires and workers, each at its moment, and once. */
export class Strikes {
  readonly #due: { readonly moment: Moment; readonly act: () => Promise<void> | void }[] = [];
  #call: HostCall | undefined;

  add(moment: Moment, act: () => Promise<void> | void): void {
    this.#due.push({ moment, act });
  }

  /** Strikes that have not happened yet. */
  get pending(): number {
    return this.#due.length;
  }

  /** A worker makes a call to its hosts. */
  async onCall(call: HostCall): Promise<void> {
    this.#call = call;
    await this.#at(({ statement }) => statement === undefined);
  }

  /** A worker sends a statement to one of its hosts. */
  async onStatement(
    { text }: Statement,
    on: 'source' | 'target' | undefined,
    send: () => unknown,
  ): Promise<unknown> {
    const isIt =
      (when: 'before' | 'after') =>
      (moment: Moment): boolean =>
        moment.statement?.test(text) === true &&
        (moment.on ?? on) === on &&
        (moment.when ?? 'after') === when;
    await this.#at(isIt('before'));
    const answer = await send();
    await this.#at(isIt('after'));
    return answer;
  }

  async #at(isIt: (moment: Moment) => boolean): Promise<void> {
    const at = this.#due.findIndex(({ moment }) => moment.call === this.#call && isIt(moment));
    const [strike] = at < 0 ? [] : this.#due.splice(at, 1);
    await strike?.act();
  }
}
