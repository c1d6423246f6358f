/** A process that dies at one of its calls to the world: before it has any effect, or after it. */
export class Mortal {
  calls = 0;
  isDead = false;
  readonly #end: { readonly at: number; readonly side: 'before' | 'after' } | undefined;

  constructor(end?: { readonly at: number; readonly side: 'before' | 'after' }) {
    this.#end = end;
  }

  /** What the process has of a port, or of a set of them. Calls of what is not asynchronous count too. */
  port<T extends object>(inner: T): T {
    return new Proxy(inner, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === 'function')
          return (...args: unknown[]) => this.#call(() => Reflect.apply(value, target, args));
        return typeof value === 'object' && value !== null && !untouched.has(name) ? this.port(value) : value;
      },
    });
  }

  #call(work: () => unknown): unknown {
    if (this.isDead) throw new Error('dead');
    this.calls += 1;
    const end = this.#end;
    if (end?.at !== this.calls) return work();
    this.isDead = true;
    if (end.side === 'after') {
      const effect = work();
      if (effect instanceof Promise)
        return effect.then(() => {
          throw new Error('killed');
        });
    }
    throw new Error('killed');
  }
}

/** Ports without an effect. */
const untouched: ReadonlySet<string | symbol> = new Set(['clock', 'chance', 'log']);
