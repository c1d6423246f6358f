import { decide } from '../../domain/decide.ts';
import type { Effect } from '../../domain/transition.ts';
import type { Fact } from '../../domain/fact.ts';
import type { Json } from '../../domain/json.ts';
import type { WorkflowShape } from '../../domain/workflow-shape.ts';
import type { Services } from '../services.ts';
import type { Task, Tasks } from './workflow.ts';

/** Another worker has the task, or it has been turned round: whoever meets this stops and changes nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * A worker's hold on one task: the only way by which it reports facts. Reports are made one after another, and
 * the lease is extended in between while a step works.
 */
export class Holder<T extends Task> {
  readonly token: number;
  readonly #services: Pick<Services, 'bus' | 'clock'>;
  readonly #shape: WorkflowShape;
  readonly #tasks: Tasks<T>;
  readonly #by: string;
  readonly #leaseMs: number;
  readonly #lost = new AbortController();
  /** As it is stored. */
  #task: T;
  /** As it will be once everything that was reported is stored. */
  #ahead: T;
  /** Reported by `reportSoon` and not stored yet, oldest first. */
  readonly #soon: Fact[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    services: Pick<Services, 'bus' | 'clock'>,
    shape: WorkflowShape,
    tasks: Tasks<T>,
    claimed: { readonly task: T; readonly by: string; readonly leaseMs: number },
  ) {
    this.#services = services;
    this.#shape = shape;
    this.#tasks = tasks;
    this.#task = claimed.task;
    this.#ahead = claimed.task;
    this.#by = claimed.by;
    this.#leaseMs = claimed.leaseMs;
    this.token = claimed.task.execution.token;
  }

  /** The task with everything that was reported, stored or under way. */
  get task(): T {
    return this.#ahead;
  }

  /** Aborted as soon as it is known that the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Makes a fact durable and carries out what follows from it.
   * @throws LeaseLost, StoreUnavailable
   */
  async report(fact: Fact): Promise<void> {
    const turn = this.#queue.then(() => this.#report(fact));
    this.#queue = turn.catch(() => undefined);
    await turn;
    this.#ahead = this.#lookAhead();
  }

  /**
   * The same without waiting until it is durable: the worker goes on as if it were. If it cannot be stored the
   * lease counts as lost.
   * @throws LeaseLost when it is known already that it cannot
   */
  reportSoon(fact: Fact): void {
    const ahead = this.#ahead;
    const decision = decide(this.#shape, ahead.execution, fact, this.#services.clock.now(), this.#by);
    if (decision.kind === 'ignored') throw this.#lose(decision.why);
    this.#ahead = { ...ahead, execution: decision.execution };
    this.#soon.push(fact);
    this.#queue = this.#queue
      .then(() => this.#report(fact, 'soon'))
      .catch((error: unknown) => {
        this.#lost.abort(error);
      });
  }

  /**
   * Extends the lease until the returned function is called, which resolves when the last extension is through.
   * A worker that was held up past its lease tries too: if nobody has taken over, it is still the one.
   * @param news progress of the current step that is not stored yet
   */
  keepAlive(news: () => Json | undefined): () => Promise<void> {
    let isExtending = false;
    const stop = this.#services.clock.every(Math.ceil(this.#leaseMs / 3), () => {
      if (isExtending) return;
      isExtending = true;
      const progress = news();
      this.report({
        kind: 'lease-extended',
        token: this.token,
        leaseMs: this.#leaseMs,
        ...(progress === undefined ? {} : { progress }),
      })
        .catch(() => undefined)
        .finally(() => {
          isExtending = false;
        });
    });
    return async () => {
      stop();
      await this.#queue;
    };
  }

  /**
   * What is stored, with what is still on its way. A report that was made earlier (the lease's extension) may be
   * stored while later ones wait: the worker must not fall back behind them, or it would do a step again and
   * finish the next one by it.
   */
  #lookAhead(): T {
    let { execution } = this.#task;
    for (const fact of this.#soon) {
      const decision = decide(this.#shape, execution, fact, this.#services.clock.now(), this.#by);
      if (decision.kind === 'next') execution = decision.execution;
    }
    return { ...this.#task, execution };
  }

  async #report(fact: Fact, when?: 'soon'): Promise<void> {
    for (;;) {
      if (this.#lost.signal.aborted) throw new LeaseLost('the lease was lost');
      const before = this.#task;
      const decision = decide(this.#shape, before.execution, fact, this.#services.clock.now(), this.#by);
      if (decision.kind === 'ignored') throw this.#lose(decision.why);
      const answer = await this.#tasks.commit(before, { ...before, execution: decision.execution });
      if (answer.kind === 'committed') {
        this.#task = answer.record;
        if (when === 'soon') this.#soon.shift();
        await this.#perform(decision.effects);
        return;
      }
      const now = await this.#tasks.load(before.id);
      if (now === undefined || !this.#isStillOurs(now)) throw this.#lose('another worker has gone on');
      this.#task = now;
    }
  }

  /** The same worker's, the same way, at the same step: then only something beside the work has changed. */
  #isStillOurs(now: T): boolean {
    const is = now.execution.status;
    const was = this.#task.execution.status;
    return (
      now.execution.token === this.token &&
      (is.state === 'running' || is.state === 'rolling-back') &&
      is.state === was.state &&
      is.step === was.step &&
      is.lease?.token === this.token
    );
  }

  #lose(why: string): LeaseLost {
    const error = new LeaseLost(why);
    this.#lost.abort(error);
    return error;
  }

  async #perform(effects: readonly Effect[]): Promise<void> {
    for (const { phase, afterMs } of effects) {
      await this.#services.bus.sendWork({ kind: 'work', task: this.#task.id, phase }, afterMs);
    }
  }
}
