import { StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import { stepIndex, stepOf } from '../../domain/workflow-shape.ts';
import { StoreUnavailable } from '../../ports/failures.ts';
import type { OpenSpan } from '../../ports/tracer.ts';
import type { Invocation, Services } from '../services.ts';
import { noteStep, type StepFact } from './figures.ts';
import { LeaseLost, type Holder } from './holder.ts';
import { logAbout } from './log-about.ts';
import { phaseOfTask, underWay, type UnderWay } from './phase.ts';
import { stepSpan, tellEnd } from './step-span.ts';
import type { Hand, StepOutcome, Task, UndoOutcome, Workflow } from './workflow.ts';

type EngineServices = Pick<Services, 'clock' | 'chance' | 'log' | 'meter' | 'tracer'>;

/** A wait up to this long is slept through, … */
const shortWaitMs = 2_000;
/** … until an invocation has slept this long in all; then its waits are re-queued. */
const sleepBudgetMs = 5_000;

/** Runs the steps of one phase from where the task stands, until there is nothing more for this invocation. */
export async function runSteps<T extends Task, Session>(
  engine: EngineServices,
  workflow: Workflow<T, Session>,
  holder: Holder<T>,
  phase: string,
  invocation: Invocation,
): Promise<void> {
  const services = { ...engine, log: logAbout(engine.log, workflow, () => holder.task) };
  const deadline = new AbortController();
  const stopWatching = services.clock.every(200, () => {
    if (invocation.remainingMs() <= 0) deadline.abort(new DeadlinePassed());
  });
  const run = new PhaseRun(
    services,
    workflow,
    holder,
    invocation,
    AbortSignal.any([holder.lost, deadline.signal]),
  );
  const stopKeeping = holder.keepAlive(() => run.news());
  try {
    while (phaseOfTask(workflow.shape, holder.task.execution) === phase && (await run.next())) {
      // Each turn is one step, recorded.
    }
  } catch (error) {
    if (!(error instanceof LeaseLost || error instanceof TokenSuperseded)) throw error;
    services.log.info('stopped: another worker has gone on', { why: error.message });
  } finally {
    stopWatching();
    await stopKeeping();
    await run.close();
  }
}

class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

class PhaseRun<T extends Task, Session> {
  readonly #services: EngineServices;
  readonly #workflow: Workflow<T, Session>;
  readonly #holder: Holder<T>;
  readonly #invocation: Invocation;
  readonly #signal: AbortSignal;
  #session: Session | undefined;
  #works = false;
  #slept = 0;
  /** Progress of the current step that is newer than what is stored, for waits that were slept through. */
  #progress: { readonly step: string; readonly value: Json } | undefined;

  /** What the current step shows of itself and is not stored yet. */
  #news: Json | undefined;
  /** Of the current call. */
  #span: OpenSpan | undefined;

  constructor(
    services: EngineServices,
    workflow: Workflow<T, Session>,
    holder: Holder<T>,
    invocation: Invocation,
    signal: AbortSignal,
  ) {
    this.#services = services;
    this.#workflow = workflow;
    this.#holder = holder;
    this.#invocation = invocation;
    this.#signal = signal;
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) await this.#workflow.close(this.#session);
    this.#session = undefined;
  }

  /** Handed out once: what is stored need not be stored again. */
  news(): Json | undefined {
    const news = this.#news;
    this.#news = undefined;
    return news;
  }

  /** One call of one step, forward or back, and the report of it. False when this invocation is done. */
  async next(): Promise<boolean> {
    const status = underWay(this.#holder.task.execution);
    if (status?.lease === undefined) return false;
    const head = stepSpan(status, this.#holder.token);
    return this.#services.tracer.during(head, async (span) => this.#call(status, span));
  }

  async #call(status: UnderWay, span: OpenSpan): Promise<boolean> {
    this.#span = span;
    const { token } = this.#holder;
    if (this.#invocation.remainingMs() <= 0) {
      await this.#report(status, { kind: 'handed-over', token, ms: 0, ...this.#newProgress() });
      return false;
    }
    const began = this.#services.clock.now();
    const spent = (): number => this.#services.clock.now() - began;
    let outcome: StepOutcome | UndoOutcome;
    try {
      outcome = status.state === 'running' ? await this.#run(status.step) : await this.#undo(status.step);
      if (outcome.kind === 'retreat') await this.#undoBackTo(status.step, outcome.to);
    } catch (error) {
      this.#news = undefined;
      await this.#report(status, this.#factOf(error, spent()));
      return false;
    }
    // Of this step: the next one has its own.
    this.#news = undefined;
    switch (outcome.kind) {
      case 'done': {
        this.#progress = undefined;
        const { result } = outcome;
        await this.#report(status, {
          kind: 'step-finished',
          token,
          ms: spent(),
          ...(result === undefined ? {} : { result }),
        });
        return true;
      }
      case 'wait':
        // What only waits on is told once.
        if (status.waiting?.code === outcome.code) span.forget();
        if (outcome.progress !== undefined) this.#progress = { step: status.step, value: outcome.progress };
        if (await this.#sleepThrough(outcome.afterMs)) return true;
        await this.#report(status, {
          kind: 'step-waited',
          token,
          code: outcome.code,
          on: outcome.on,
          afterMs: outcome.afterMs,
          ms: spent(),
          ...this.#newProgress(),
        });
        return false;
      case 'continue':
        await this.#report(status, { kind: 'handed-over', token, ms: spent(), progress: outcome.progress });
        return false;
      case 'retreat':
        await this.#report(status, {
          kind: 'retreated',
          token,
          ms: spent(),
          to: outcome.to,
          failure: outcome.failure,
          chance: this.#services.chance.fraction(),
        });
        return false;
      case 'refused':
        await this.#report(status, { kind: 'undo-refused', token, step: outcome.step }, spent());
        return false;
      default:
        return outcome satisfies never;
    }
  }

  /** Makes the end of a call durable, or goes on as if it were where somebody waits; then it is counted. */
  async #report(before: UnderWay, fact: StepFact, ms = 'ms' in fact ? fact.ms : 0): Promise<void> {
    const { shape } = this.#workflow;
    const isHurried = before.state === 'running' && stepOf(shape, before.step).hurried === true;
    if (fact.kind === 'step-finished' && isHurried) this.#holder.reportSoon(fact);
    else await this.#holder.report(fact);
    const after = this.#holder.task.execution.status.state;
    const outcome = noteStep(this.#services.meter, shape, { fact: fact.kind, ms, before, after });
    if (this.#span !== undefined) tellEnd(this.#span, outcome, fact);
  }

  async #run(name: string): Promise<StepOutcome> {
    const { run, isDone } = this.#step(name);
    if (run === undefined) throw new RangeError(`step "${name}" can only be undone here`);
    const session = await this.#open();
    const hand = this.#hand();
    // Once this worker works itself, nothing that an earlier one has done lies ahead.
    if (!this.#works && isDone !== undefined && (await isDone(session, hand))) return { kind: 'done' };
    this.#works = true;
    return run(session, hand);
  }

  async #undo(name: string): Promise<UndoOutcome> {
    const { undo } = this.#step(name);
    return undo === undefined ? { kind: 'done' } : undo(await this.#open(), this.#hand());
  }

  /** Undoes from `from` back to and including `to`. An undo that cannot end now fails the step, which comes again. */
  async #undoBackTo(from: string, to: string): Promise<void> {
    const { shape } = this.#workflow;
    const names = shape.steps
      .slice(stepIndex(shape, to), stepIndex(shape, from) + 1)
      .map((step) => step.name);
    for (const name of names.reverse()) {
      const outcome = await this.#undo(name);
      if (outcome.kind !== 'done') {
        throw new StepFailure(
          {
            code: 'retreat-unfinished',
            sentence: `the undo of ${name} has not come to its end (${outcome.kind})`,
            cure: 'it is tried again by itself',
          },
          'retry',
        );
      }
    }
  }

  async #open(): Promise<Session> {
    this.#session ??= await this.#workflow.open(this.#hand());
    return this.#session;
  }

  #hand(): Hand<T> {
    const { task, token } = this.#holder;
    const step = underWay(task.execution);
    return {
      task,
      token,
      progress:
        this.#progress !== undefined && this.#progress.step === step?.step
          ? this.#progress.value
          : step?.progress,
      signal: this.#signal,
      remainingMs: this.#invocation.remainingMs,
      log: this.#services.log,
      show: (progress) => {
        this.#news = progress;
      },
      note: (news) => this.#holder.report({ kind: 'progressed', token, ...news }),
    };
  }

  #step(name: string): Workflow<T, Session>['steps'][string] {
    const step = this.#workflow.steps[name];
    if (step === undefined)
      throw new RangeError(`workflow ${this.#workflow.shape.name} has no step "${name}"`);
    return step;
  }

  #newProgress(): { readonly progress?: Json } {
    return this.#progress === undefined ? {} : { progress: this.#progress.value };
  }

  async #sleepThrough(ms: number): Promise<boolean> {
    if (ms > shortWaitMs || this.#slept + ms > sleepBudgetMs || ms > this.#invocation.remainingMs())
      return false;
    this.#slept += ms;
    await this.#services.clock.sleep(ms, this.#signal);
    return true;
  }

  /** @throws what is not the step's to answer for: a lost lease, a table that is away. */
  #factOf(error: unknown, ms: number): StepFact {
    const { token } = this.#holder;
    const lost = this.#holder.lost;
    if (lost.aborted) throw new LeaseLost('the lease was lost', { cause: error });
    if (error instanceof LeaseLost || error instanceof TokenSuperseded || error instanceof StoreUnavailable)
      throw error;
    if (this.#signal.aborted) return { kind: 'handed-over', token, ms, ...this.#newProgress() };
    const chance = this.#services.chance.fraction();
    this.#services.log.warn('step failed', { ms, error });
    if (!(error instanceof StepFailure)) {
      const failure = {
        code: 'unexpected',
        sentence:
          error instanceof Error
            ? `${error.name}: ${error.message}`.slice(0, 300)
            : 'an unknown value was thrown',
        cure: "see the function's log; please report it as a defect",
      };
      return { kind: 'step-failed', token, ms, failure, fatal: false, chance };
    }
    const { failure, verdict } = error;
    return verdict === 'host-down' || verdict === 'throttled'
      ? { kind: 'step-hindered', token, ms, failure, chance }
      : { kind: 'step-failed', token, ms, failure, fatal: verdict === 'fail', chance };
  }
}
