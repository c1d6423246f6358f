import { Environment, errorLine, type EnvironmentOptions } from './environment.ts';
import type { FunctionSpec, Invocation } from './function-spec.ts';

/** What a function did so far. */
export interface FunctionUse {
  invocations: number;
  /** Answers that were errors, of the handler or of its process. */
  errors: number;
  timeouts: number;
  crashes: number;
  coldStarts: number;
  /** Time that invocations took, in milliseconds. */
  durationMs: number;
  /** CPU time of all its processes, ended ones too, in milliseconds. */
  cpuMs: number;
}

/** What a pool needs besides its function. */
export interface PoolOptions extends Pick<EnvironmentOptions, 'bootstrap' | 'shared' | 'overriding'> {
  /** At most so many environments of a function without reserved concurrency. */
  readonly defaultConcurrency: number;
  /** Environments idle for longer are ended, in milliseconds. */
  readonly idleLimitMs: number;
  readonly onLine: (functionName: string, line: string) => void;
}

/** An event that waits for an environment. */
interface Waiter {
  readonly begin: (environment: Environment) => void;
  readonly give: (invocation: Invocation) => void;
}

/** An environment that dies while it loads is started again so many times before an event fails for it. */
const START_ATTEMPTS = 3;

/** The execution environments of one function: warm ones are reused, new ones started up to the limit. */
export class FunctionPool {
  #spec: FunctionSpec;
  readonly #options: PoolOptions;
  readonly #environments = new Set<Environment>();
  readonly #waiters: Waiter[] = [];
  readonly #use: FunctionUse = {
    invocations: 0,
    errors: 0,
    timeouts: 0,
    crashes: 0,
    coldStarts: 0,
    durationMs: 0,
    cpuMs: 0,
  };
  #starting = 0;
  #deathsAtStart = 0;
  #active = 0;
  #stopped = false;

  constructor(spec: FunctionSpec, options: PoolOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get spec(): FunctionSpec {
    return this.#spec;
  }

  get environments(): readonly Environment[] {
    return [...this.#environments];
  }

  /** How many more events may run at once. */
  get free(): number {
    return this.#limit - this.#active;
  }

  get active(): number {
    return this.#active;
  }

  get use(): FunctionUse {
    const living = this.environments.reduce((sum, environment) => sum + environment.cpuMs, 0);
    return { ...this.#use, cpuMs: this.#use.cpuMs + living };
  }

  /** Runs one event; waits for an environment when all are busy. Never rejects: failures are outcomes. */
  async invoke(payload: string): Promise<Invocation> {
    this.#active += 1;
    const began = Date.now();
    try {
      const invocation = await this.#run(payload);
      this.#count(invocation, Date.now() - began);
      return invocation;
    } finally {
      this.#active -= 1;
    }
  }

  /** New code or configuration: idle environments end now, busy ones after their event. */
  replace(spec: FunctionSpec): void {
    this.#spec = spec;
    for (const environment of this.#environments) if (environment.state === 'idle') environment.kill();
  }

  /** Ends environments that were idle for long, and kills those that exceed their memory. */
  tend(): void {
    for (const environment of this.#environments) {
      if (environment.idleMs > this.#options.idleLimitMs) environment.kill();
      else environment.checkMemory();
    }
  }

  /** Ends every environment at once and refuses further events. */
  stop(): void {
    this.#stopped = true;
    for (const environment of this.#environments) environment.kill();
    for (const waiter of this.#waiters.splice(0)) waiter.give(stoppedOutcome());
  }

  get #limit(): number {
    return this.#spec.reservedConcurrency ?? this.#options.defaultConcurrency;
  }

  #run(payload: string): Promise<Invocation> {
    if (this.#stopped) return Promise.resolve(stoppedOutcome());
    const idle = this.environments.findLast(({ state, spec }) => state === 'idle' && spec === this.#spec);
    if (idle !== undefined) {
      // Most recently used last: the others may grow old and end.
      this.#environments.delete(idle);
      this.#environments.add(idle);
      return idle.invoke(payload);
    }
    return new Promise((resolve) => {
      this.#waiters.push({
        begin: (environment) => {
          resolve(environment.invoke(payload));
        },
        give: resolve,
      });
      this.#grow();
    });
  }

  /** Starts as many environments as events wait for, within the limit. */
  #grow(): void {
    const living = this.#environments.size + this.#starting;
    // Those that have just answered ask for their next event within a moment.
    const near = this.environments.filter(
      ({ state }) => state === 'starting' || state === 'returning',
    ).length;
    const coming = this.#starting + near;
    if (this.#waiters.length <= coming || living >= this.#limit) return;
    this.#starting += 1;
    this.#use.coldStarts += 1;
    const spec = this.#spec;
    Environment.start({
      spec,
      bootstrap: this.#options.bootstrap,
      shared: this.#options.shared,
      overriding: this.#options.overriding,
      onLine: (line) => {
        this.#options.onLine(spec.name, line);
      },
      onReady: (environment) => {
        this.#offer(environment);
      },
      onExit: (environment) => {
        this.#lose(environment);
      },
    }).then(
      (environment) => {
        this.#starting -= 1;
        this.#environments.add(environment);
        if (this.#stopped) environment.kill();
        if (environment.state === 'ended') this.#lose(environment);
      },
      (error: unknown) => {
        this.#starting -= 1;
        this.#waiters.shift()?.give({ outcome: 'not-started', error: String(error) });
      },
    );
  }

  #offer(environment: Environment): void {
    if (environment.spec !== this.#spec) {
      environment.kill();
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter === undefined) environment.freeze();
    else waiter.begin(environment);
  }

  #lose(environment: Environment): void {
    if (!this.#environments.delete(environment)) return;
    this.#use.cpuMs += environment.cpuMs;
    if (environment.everReady) {
      this.#deathsAtStart = 0;
    } else if (environment.initError !== undefined || ++this.#deathsAtStart >= START_ATTEMPTS) {
      const error = environment.initError ?? 'The process ended before the module was loaded.';
      this.#deathsAtStart = 0;
      this.#options.onLine(this.#spec.name, `could not start: ${errorLine(error)}`);
      this.#waiters.shift()?.give({ outcome: 'not-started', error });
    }
    if (!this.#stopped) this.#grow();
  }

  #count(invocation: Invocation, durationMs: number): void {
    this.#use.invocations += 1;
    this.#use.durationMs += durationMs;
    if (invocation.outcome === 'succeeded') return;
    this.#use.errors += 1;
    if (invocation.outcome === 'timed-out') this.#use.timeouts += 1;
    if (invocation.outcome === 'crashed' || invocation.outcome === 'out-of-memory') this.#use.crashes += 1;
    this.#options.onLine(this.#spec.name, `${invocation.outcome}: ${errorLine(invocation.error)}`);
  }
}

function stoppedOutcome(): Invocation {
  return { outcome: 'not-started', error: 'The embedded cloud is stopping.' };
}
