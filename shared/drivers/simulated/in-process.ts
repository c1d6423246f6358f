import type { HostSite } from '../../ports/driver.ts';
import { hostNameOf, type Network } from './network.ts';
import type { Inputs, Kind, Outputs } from './protocol.ts';
import { behaviourOf, failureOf, unreachable, type Link, type Transport } from './transport.ts';

/** Time, as whoever runs the simulation has it. */
export interface SimulatedTime {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One process's way to hosts that live beside it. */
export interface InProcess extends Transport {
  /** The process dies: all its connections end, and what it still asks has no answer and no effect. */
  readonly die: () => void;
}

/**
 * Hosts in this very process, by their network. Nothing here waits but by `time`: under a simulated clock a run
 * is repeatable. Each simulated process has a transport of its own, so that it can die alone.
 */
export function inProcess(network: Network, time: SimulatedTime): InProcess {
  const links = new Set<string>();
  let dead = false;

  function connect(site: HostSite): Link {
    const link = network.connect();
    links.add(link);
    const hostName = hostNameOf(site.url) ?? '';
    const options = behaviourOf(site);
    return {
      async ask<K extends Kind>(kind: K, input: Inputs[K]): Promise<Outputs[K]> {
        const delay = network.delayMs(hostName);
        if (delay > 0) await time.sleep(delay);
        if (dead) throw unreachable(site);
        const caller = { link, password: site.password, options };
        const reply = network.ask(hostName, caller, kind, input, time.now());
        await Promise.resolve();
        if (reply.kind === 'answer') return reply.output;
        throw reply.kind === 'refusal' ? failureOf(site, reply.body) : unreachable(site);
      },
      close: () => {
        network.disconnect(link);
        links.delete(link);
        return Promise.resolve();
      },
    };
  }

  return {
    connect,
    pause: (ms, signal) => time.sleep(ms, signal),
    die: () => {
      dead = true;
      for (const link of links) network.disconnect(link);
      links.clear();
    },
  };
}
