import type { HostDriver, MoveSession } from '../../shared/ports/driver.ts';

/** What a worker asks of the hosts of its move. */
export type HostCall = Exclude<keyof MoveSession, 'close'>;

/** A driver each of whose calls to the hosts of a move passes through `around`, which makes it by `go`. */
export function notedDriver(
  driver: HostDriver,
  around: (call: HostCall, go: () => Promise<unknown>) => Promise<unknown>,
): HostDriver {
  return {
    ...driver,
    begin: (job) => {
      const session = driver.begin(job);
      return new Proxy(session, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          if (!isHostCall(name))
            return (...given: unknown[]): unknown => Reflect.apply(method, target, given);
          return async (...given: unknown[]): Promise<unknown> =>
            around(name, async () => {
              const answer: unknown = await Reflect.apply(method, target, given);
              return answer;
            });
        },
      });
    },
  };
}

const quiet: readonly (string | symbol)[] = ['close', 'then'];
function isHostCall(name: string | symbol): name is HostCall {
  return typeof name === 'string' && !quiet.includes(name);
}
