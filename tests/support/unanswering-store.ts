import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { Store } from '../../shared/ports/store.ts';

/** A store of which nobody gets an answer while `isAway` says so; it is asked once for each call. */
export function unanswering(store: Store, isAway: () => boolean): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...given: unknown[]): Promise<unknown> => {
        if (!isAway()) {
          const answer: unknown = await Reflect.apply(method, target, given);
          return answer;
        }
        if (name === 'commitAlone') return { kind: 'unknown' };
        throw new StoreUnavailable(`${String(name)} was not answered`);
      };
    },
  });
}
