import type { HostDriver } from '../../shared/ports/driver.ts';
import { Died } from './cleanup-ledger.ts';

/** How a worker ends: a killed process loses its connections; one whose machine has vanished leaves them open. */
export type Ending = 'connections-closed' | 'connections-left-open';

/** The life of one worker in this process: once it is over, none of its calls ever comes back. */
export class WorkerLife {
  readonly ended: Promise<void>;
  readonly #wires = new AbortController();
  #isOver = false;
  #end: () => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** From now on nothing that this worker begins happens, and nothing that it waits for is answered. */
  end(how: Ending): void {
    this.#isOver = true;
    if (how === 'connections-closed') this.#wires.abort(new Died('the worker was killed'));
    this.#end();
  }

  /** A port of which every function answers with a promise, as this worker sees it. */
  lend<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]): Promise<unknown> =>
          this.answer(() => Reflect.apply(method, target, given));
      },
    });
  }

  lendDriver(driver: HostDriver): HostDriver {
    return {
      ...driver,
      begin: (job) => driver.begin({ ...job, signal: AbortSignal.any([job.signal, this.#wires.signal]) }),
    };
  }

  /** Makes a call and hands its answer on, unless the worker is dead before or after it. */
  async answer(call: () => unknown): Promise<unknown> {
    await this.#unlessOver();
    try {
      return await call();
    } finally {
      await this.#unlessOver();
    }
  }

  #unlessOver(): Promise<void> {
    return this.#isOver ? new Promise(() => undefined) : Promise.resolve();
  }
}
