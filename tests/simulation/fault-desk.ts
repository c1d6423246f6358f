import type { CallTrouble, Fault } from './faults.ts';
import type { FunctionName, QueueName } from './functions.ts';

type FaultOf<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;

/** What a call is, as far as faults go. */
export interface Exposure {
  /** A write of the table. */
  readonly writes: boolean;
  /** A write on the version of a row. */
  readonly commits: boolean;
}

/** Hands out the faults of a scenario, each once, until there is calm. */
export class FaultDesk {
  readonly struck = new Set<Fault>();
  isCalm = false;
  readonly #calls = new Map<FunctionName, FaultOf<'call'>[]>();
  readonly #called = new Map<FunctionName, number>();
  readonly #messages: readonly FaultOf<'message'>[];
  readonly #sent = new Map<QueueName, number>();
  readonly #stream: readonly FaultOf<'stream'>[];
  #changes = 0;

  constructor(plan: readonly Fault[]) {
    const of = <K extends Fault['kind']>(kind: K): FaultOf<K>[] =>
      plan.filter((fault): fault is FaultOf<K> => fault.kind === kind);
    for (const fault of of('call').sort((one, other) => one.nth - other.nth)) {
      this.#calls.set(fault.fn, [...(this.#calls.get(fault.fn) ?? []), fault]);
    }
    this.#messages = of('message');
    this.#stream = of('stream');
  }

  /** The next call of a process of this function. */
  onCall(fn: FunctionName, exposure: Exposure): FaultOf<'call'> | undefined {
    const nth = (this.#called.get(fn) ?? 0) + 1;
    this.#called.set(fn, nth);
    const waiting = this.#calls.get(fn);
    if (waiting === undefined || this.isCalm) return undefined;
    const index = waiting.findIndex((fault) => fault.nth <= nth && canBefall(fault.what, exposure));
    if (index < 0) return undefined;
    const [fault] = waiting.splice(index, 1);
    return fault === undefined ? undefined : this.strike(fault);
  }

  /** The next message that is put into this queue. */
  onMessage(queue: QueueName): FaultOf<'message'> | undefined {
    const nth = (this.#sent.get(queue) ?? 0) + 1;
    this.#sent.set(queue, nth);
    if (this.isCalm) return undefined;
    const fault = this.#messages.find((each) => each.queue === queue && each.nth === nth);
    return fault === undefined ? undefined : this.strike(fault);
  }

  /** The next change in the stream. */
  onChange(): FaultOf<'stream'> | undefined {
    this.#changes += 1;
    if (this.isCalm) return undefined;
    const fault = this.#stream.find((each) => each.nth === this.#changes);
    return fault === undefined ? undefined : this.strike(fault);
  }

  strike<F extends Fault>(fault: F): F {
    this.struck.add(fault);
    return fault;
  }
}

function canBefall(what: CallTrouble, { writes, commits }: Exposure): boolean {
  switch (what) {
    case 'late':
      return writes;
    case 'conflict':
      return commits;
    case 'kill-before':
    case 'kill-after':
    case 'lost-request':
    case 'lost-answer':
    case 'stop':
      return true;
    default:
      return what satisfies never;
  }
}
