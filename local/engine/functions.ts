import { CloudError } from '../cloud-error.ts';
import { invokeAsync, type AsyncPolicy } from '../lambda/async-invoke.ts';
import { FunctionPool, type PoolOptions } from '../lambda/function-pool.ts';
import type { FunctionSpec } from '../lambda/function-spec.ts';
import type { EnvironmentView } from '../protocol.ts';
import type { ProvisionedFunction } from '../provision/functions.ts';
import type { InvokeAnswer } from '../servers/gateway.ts';

/** How often memory limits and idle environments are looked at, in milliseconds. */
const TEND_MS = 250;

/** The functions of a cloud, by logical id. */
export class FunctionRegistry {
  readonly #options: PoolOptions;
  readonly #pools = new Map<string, FunctionPool>();
  readonly #policies = new Map<string, AsyncPolicy>();
  readonly #tending: NodeJS.Timeout;
  #deliver: (arn: string, body: string) => Promise<void> = () => Promise.resolve();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#tending = setInterval(() => {
      for (const pool of this.#pools.values()) pool.tend();
    }, TEND_MS);
  }

  /** Where events go that were given up: known once destinations exist. */
  deliverFailuresTo(deliver: (arn: string, body: string) => Promise<void>): void {
    this.#deliver = deliver;
  }

  /** Takes the functions of a template: new ones come, changed ones are replaced. Answers the names of those changed. */
  apply(functions: readonly ProvisionedFunction[]): string[] {
    const changed: string[] = [];
    for (const { spec, asyncPolicy } of functions) {
      this.#policies.set(spec.logicalId, asyncPolicy);
      const pool = this.#pools.get(spec.logicalId);
      if (pool === undefined) {
        this.#pools.set(spec.logicalId, new FunctionPool(spec, this.#options));
      } else if (identity(pool.spec) !== identity(spec)) {
        pool.replace(spec);
        changed.push(spec.name);
      }
    }
    return changed;
  }

  get pools(): ReadonlyMap<string, FunctionPool> {
    return this.#pools;
  }

  pool(logicalId: string): FunctionPool {
    const pool = this.#pools.get(logicalId);
    if (pool === undefined) throw unknown(logicalId);
    return pool;
  }

  /** Invokes by logical id, name or ARN; with `waits` false the answer is empty and comes at once. */
  async invoke(reference: string, payload: string, waits: boolean): Promise<InvokeAnswer> {
    const pool = [...this.#pools.values()].find(({ spec }) =>
      [spec.logicalId, spec.name, spec.arn].includes(reference),
    );
    if (pool === undefined) throw unknown(reference);
    if (!waits) {
      const policy = this.#policies.get(pool.spec.logicalId) ?? { retries: 2, onFailure: undefined };
      void invokeAsync(pool, payload, policy, this.#deliver);
      return { payload: '', failed: false };
    }
    const result = await pool.invoke(payload);
    return result.outcome === 'succeeded'
      ? { payload: result.payload, failed: false }
      : { payload: result.error, failed: true };
  }

  environments(): EnvironmentView[] {
    return [...this.#pools.values()].flatMap((pool) =>
      pool.environments.map((environment) => ({
        functionId: pool.spec.logicalId,
        functionName: pool.spec.name,
        pid: environment.pid,
        state: environment.state,
        ...(environment.requestId === undefined ? {} : { requestId: environment.requestId }),
      })),
    );
  }

  stop(): void {
    clearInterval(this.#tending);
    for (const pool of this.#pools.values()) pool.stop();
  }
}

function identity(spec: FunctionSpec): string {
  return JSON.stringify({ ...spec, codeDir: '' });
}

function unknown(reference: string): CloudError {
  return new CloudError('FunctionUnknown', `Function not found: ${reference}.`);
}
