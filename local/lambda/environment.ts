import { randomUUID } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { spawnOwned } from '../servers/owned-process.ts';
import type { FunctionSpec, Invocation } from './function-spec.ts';
import { cpuMsOf, privateMbOf } from './process-usage.ts';
import { openRuntimeApi, type RuntimeApi } from './runtime-api.ts';

/** What an execution environment needs from its surroundings. */
export interface EnvironmentOptions {
  readonly spec: FunctionSpec;
  /** Path of the runtime's module. */
  readonly bootstrap: string;
  /** Variables that every function gets: region, credentials, endpoints. */
  readonly shared: Readonly<Record<string, string>>;
  /** Variables that win over those of the template. */
  readonly overriding: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  /** It waits for an event: freeze it or give it one. */
  readonly onReady: (environment: Environment) => void;
  readonly onExit: (environment: Environment) => void;
}

/**
 * The life of an environment; `idle` ones are stopped (SIGSTOP), as Lambda freezes them; `returning` ones have answered
 * and not yet asked for the next event.
 */
export type EnvironmentState = 'starting' | 'idle' | 'busy' | 'returning' | 'ending' | 'ended';

interface Running {
  readonly requestId: string;
  readonly settle: (invocation: Invocation) => void;
  readonly timer: NodeJS.Timeout;
}

/** Time for a module to load before the environment is given up; AWS allows 10 s, a laptop under load needs more. */
const INIT_LIMIT_MS = 30_000;

/** One process that runs a function, one event at a time. */
export class Environment {
  readonly spec: FunctionSpec;
  readonly #options: EnvironmentOptions;
  readonly #child: ChildProcess;
  readonly #api: RuntimeApi;
  #state: EnvironmentState = 'starting';
  #running: Running | undefined;
  #initError: string | undefined;
  #memoryExceeded = false;
  #everReady = false;
  #cpuMs = 0;
  #idleSince = Date.now();

  private constructor(options: EnvironmentOptions, api: RuntimeApi, child: ChildProcess) {
    this.spec = options.spec;
    this.#options = options;
    this.#api = api;
    this.#child = child;
    const initLimit = setTimeout(() => {
      if (this.#state !== 'starting') return;
      this.#initError ??= `The module of ${this.spec.name} did not load within ${String(INIT_LIMIT_MS / 1000)} s.`;
      child.kill('SIGKILL');
    }, INIT_LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', options.onLine);
    }
    child.once('error', (error) => {
      this.#initError ??= error.message;
      this.#end(`could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(initLimit);
      this.#end(signal === null ? `exit status ${String(code)}` : `signal: ${signal}`);
    });
  }

  /** Starts the process; `onReady` follows once its module is loaded. */
  static async start(options: EnvironmentOptions): Promise<Environment> {
    const started: Environment[] = [];
    const told = (tell: (environment: Environment) => void): void => {
      started.forEach(tell);
    };
    const api = await openRuntimeApi({
      ready: () => {
        told((environment) => {
          environment.#ready();
        });
      },
      responded: (id, payload) => {
        told((environment) => {
          environment.#finish(id, { outcome: 'succeeded', payload });
        });
      },
      failed: (id, error) => {
        told((environment) => {
          environment.#finish(id, { outcome: 'failed', error });
        });
      },
      initFailed: (error) => {
        told((environment) => {
          environment.#initError = error;
        });
      },
    });
    const { spec } = options;
    const limits = [`--max-old-space-size=${String(Math.floor(spec.memoryMb * 0.9))}`];
    const child = spawnOwned(process.execPath, [...limits, options.bootstrap], {
      env: {
        ...options.shared,
        ...variables(spec),
        AWS_LAMBDA_RUNTIME_API: api.address,
        ...spec.environment,
        ...options.overriding,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: spec.codeDir,
    });
    const environment = new Environment(options, api, child);
    started.push(environment);
    return environment;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  get requestId(): string | undefined {
    return this.#running?.requestId;
  }

  get idleMs(): number {
    return this.#state === 'idle' ? Date.now() - this.#idleSince : 0;
  }

  /** Why the module could not be loaded, if so. */
  get initError(): string | undefined {
    return this.#initError;
  }

  /** Whether its module has been loaded. */
  get everReady(): boolean {
    return this.#everReady;
  }

  /** CPU time so far, in milliseconds. */
  get cpuMs(): number {
    this.#cpuMs = cpuMsOf(this.pid) ?? this.#cpuMs;
    return this.#cpuMs;
  }

  /** Runs one event: continues the process, delivers, waits for the answer, the timeout or the process's end. */
  invoke(payload: string): Promise<Invocation> {
    const requestId = randomUUID();
    const deadline = Date.now() + this.spec.timeoutMs;
    return new Promise((settle) => {
      const timer = setTimeout(() => {
        this.#settle({ outcome: 'timed-out', error: timeoutError(requestId, this.spec.timeoutMs) });
        this.kill();
      }, this.spec.timeoutMs);
      this.#running = { requestId, settle, timer };
      this.#state = 'busy';
      this.#signal('SIGCONT');
      this.#api.deliver({ requestId, functionArn: this.spec.arn, deadline, payload });
    });
  }

  /** Stops the process until its next event, as Lambda freezes an idle environment. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  /** Ends the process at once; it need not be running for that. */
  kill(): void {
    this.#cpuMs = cpuMsOf(this.pid) ?? this.#cpuMs;
    if (this.#state === 'idle') this.#state = 'ending';
    this.#signal('SIGKILL');
  }

  /** Kills the process if it holds more memory than the function's limit. */
  checkMemory(): void {
    if (this.#state !== 'busy' || (privateMbOf(this.pid) ?? 0) <= this.spec.memoryMb) return;
    this.#memoryExceeded = true;
    this.kill();
  }

  #ready(): void {
    if (this.#state === 'ended' || this.#state === 'ending') return;
    this.#everReady = true;
    this.#cpuMs = cpuMsOf(this.pid) ?? this.#cpuMs;
    this.#state = 'idle';
    this.#idleSince = Date.now();
    this.#options.onReady(this);
  }

  #finish(requestId: string, invocation: Invocation): void {
    if (this.#running?.requestId !== requestId) return;
    this.#state = 'returning';
    this.#settle(invocation);
  }

  #settle(invocation: Invocation): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    clearTimeout(running.timer);
    running.settle(invocation);
  }

  #end(how: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#api.close();
    const error = {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${this.requestId ?? ''} Error: Runtime exited with error: ${how}`,
    };
    this.#settle({
      outcome: this.#memoryExceeded ? 'out-of-memory' : 'crashed',
      error: JSON.stringify(this.#memoryExceeded ? { ...error, errorType: 'Runtime.OutOfMemory' } : error),
    });
    this.#options.onExit(this);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#state !== 'ended') this.#child.kill(signal);
  }
}

function timeoutError(requestId: string, timeoutMs: number): string {
  return JSON.stringify({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  });
}

const errorText = z.object({ errorType: z.string().optional(), errorMessage: z.string().optional() });

/** One line about an error that an environment reported as JSON. */
export function errorLine(error: string): string {
  try {
    const parsed = errorText.parse(JSON.parse(error));
    return `${parsed.errorType ?? 'Error'}: ${parsed.errorMessage ?? ''}`;
  } catch {
    return error;
  }
}

function variables(spec: FunctionSpec): Record<string, string> {
  return {
    _HANDLER: spec.handler,
    LAMBDA_TASK_ROOT: spec.codeDir,
    // Beside the code, whose copy all clouds of this checkout share.
    NODE_COMPILE_CACHE: join(spec.codeDir, '.compile-cache'),
    AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    // On AWS its credentials say who calls; here the SDK does.
    AWS_SDK_UA_APP_ID: spec.logicalId,
  };
}
