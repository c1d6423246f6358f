import type { HostSite } from '../../ports/driver.ts';
import { hostNameOf, type Network } from './network.ts';
import { behaviourOf, failureOf, unreachable, type Link, type Transport } from './transport.ts';
import type { Inputs, Kind, Outputs } from './protocol.ts';

/** Time, as whoever runs the simulation has it. */
export interface SimulatedTime {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Hosts in this very process, by their network. Nothing here waits but by `time`: under a simulated clock a run
 * is repeatable. Whoever simulates a worker's death disconnects its links (`network.disconnect`), as the end of
 * its process would.
 */
export function inProcess(network: Network, time: SimulatedTime): Transport {
  return {
    connect: (site) => connect(network, time, site),
    pause: (ms, signal) => time.sleep(ms, signal),
  };
}

function connect(network: Network, time: SimulatedTime, site: HostSite): Link {
  const link = network.connect();
  const hostName = hostNameOf(site.url) ?? '';
  const caller = { link, password: site.password, options: behaviourOf(site) };
  return {
    async ask<K extends Kind>(kind: K, input: Inputs[K]): Promise<Outputs[K]> {
      const delay = network.delayMs(hostName);
      if (delay > 0) await time.sleep(delay);
      const reply = network.ask(hostName, caller, kind, input, time.now());
      await Promise.resolve();
      if (reply.kind === 'answer') return reply.output;
      throw reply.kind === 'refusal' ? failureOf(site, reply.body) : unreachable(site);
    },
    close: () => {
      network.disconnect(link);
      return Promise.resolve();
    },
  };
}
