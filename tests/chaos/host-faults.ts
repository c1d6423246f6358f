import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../../local/demo/servers.ts';
import type { Dice } from '../support/dice.ts';

/** What has befallen hosts; a crash is a fault after which a server has to recover. */
export interface HostFaults {
  readonly faults: number;
  readonly crashes: number;
}

/** One host after another is restarted, crashes and comes back, or stands still for a while. */
export function troubleHosts(
  servers: readonly PostgresServer[],
  options: { readonly everyMs: number; readonly dice: Dice },
): () => Promise<HostFaults> {
  const stop = new AbortController();
  const struck = { faults: 0, crashes: 0 };
  const raging = (async () => {
    for (;;) {
      await sleep(options.everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return;
      const server = options.dice.pick(servers);
      struck.faults += 1;
      const kind = options.dice.fraction();
      if (kind < 0.4) {
        struck.crashes += 1;
        await server.restart({ mode: 'immediate' });
      } else if (kind < 0.7) await server.restart({ mode: 'fast' });
      else {
        server.pause();
        await sleep(3_000);
        server.resume();
      }
    }
  })();
  return async () => {
    stop.abort();
    await raging;
    return struck;
  };
}
