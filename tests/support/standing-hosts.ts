import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { raiseFaultHosts, type FaultHostOptions, type FaultHosts } from './fault-hosts.ts';
import { endClients } from './faulty-move.ts';

/**
 * Two hosts that stand while the tests of a file run; no client outlives its test.
 * @returns usable from the first `beforeAll` after this on
 */
export function standingHosts(options: FaultHostOptions = {}): FaultHosts {
  let raised: FaultHosts | undefined;
  beforeAll(async () => {
    raised = await raiseFaultHosts(options);
  }, 120_000);
  afterEach(endClients, 60_000);
  afterAll(async () => raised?.close(), 60_000);
  const standing = (): FaultHosts => {
    if (raised === undefined) throw new Error('the hosts do not stand yet');
    return raised;
  };
  return {
    get source() {
      return standing().source;
    },
    get target() {
      return standing().target;
    },
    close: async () => standing().close(),
  };
}
