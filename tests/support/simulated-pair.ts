import { setTimeout as delay } from 'node:timers/promises';
import { startSimulatedServer } from '../../local/simulated/server.ts';
import { hostName } from '../../shared/domain/ids.ts';
import type { Behaviour } from '../../shared/drivers/simulated/behaviour.ts';
import { simulatedDriver } from '../../shared/drivers/simulated/driver.ts';
import { http } from '../../shared/drivers/simulated/http.ts';
import { inProcess } from '../../shared/drivers/simulated/in-process.ts';
import { Network, hostNameOf } from '../../shared/drivers/simulated/network.ts';
import type { Kind, Inputs } from '../../shared/drivers/simulated/protocol.ts';
import type { Link, Transport } from '../../shared/drivers/simulated/transport.ts';
import type { HostSite } from '../../shared/ports/driver.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { Died } from './cleanup-ledger.ts';
import type { DriverFixture, HostPair } from './driver-conformance.ts';

const wallTime = { now: Date.now, sleep: (ms: number) => delay(ms) };
const roomy: Behaviour = { slots: 1_000, workers: 1_000 };

/** Simulated hosts in this process. */
export function inProcessFixture(): DriverFixture {
  const network = new Network();
  const transport = inProcess(network, wallTime);
  let pairs = 0;
  const makePair = (behaviour: Behaviour = {}): Promise<HostPair> => {
    pairs += 1;
    const names = [`a${String(pairs)}`, `b${String(pairs)}`] as const;
    const sites = makeSites(network, names, (name) => `sim://here/${name}`, behaviour);
    return Promise.resolve({
      ...sites,
      ...hands(network, names[0]),
      connections: (site) => Promise.resolve(moversOn(network, site)),
      close: () => Promise.resolve(),
    });
  };
  return {
    driver: simulatedDriver(transport),
    makePair: () => makePair(),
    makeOfflinePair: () => makePair({ replicates: false }),
    nowhere: () => Promise.resolve(siteOf('gone', 'sim://here/gone')),
    mortal: (message, when) => simulatedDriver(dying(transport, message, when)),
  };
}

/** Simulated hosts behind a socket. */
export function httpFixture(): DriverFixture {
  const makePair = async (behaviour: Behaviour = {}): Promise<HostPair> => {
    const server = await startSimulatedServer();
    const sites = makeSites(server.network, ['a', 'b'], server.url, behaviour);
    return {
      ...sites,
      ...hands(server.network, 'a'),
      connections: () => Promise.resolve(server.connections()),
      close: () => server.close(),
    };
  };
  return {
    driver: simulatedDriver(http),
    makePair: () => makePair(),
    makeOfflinePair: () => makePair({ replicates: false }),
    nowhere: async () => {
      const server = await startSimulatedServer();
      await server.close();
      return siteOf('gone', server.url('gone'));
    },
    mortal: (message, when) => simulatedDriver(dying(http, message, when)),
  };
}

function makeSites(
  network: Network,
  [a, b]: readonly [string, string],
  url: (name: string) => string,
  behaviour: Behaviour,
): { readonly source: HostSite; readonly target: HostSite } {
  for (const name of [a, b])
    network.addHost({ name, password: 'secret', behaviour: { ...roomy, ...behaviour } });
  return { source: siteOf(a, url(a)), target: siteOf(b, url(b)) };
}

export function siteOf(name: string, url: string, password = 'secret'): HostSite {
  const replicationAddress = new URL(url).host;
  return { host: hostName(name), url, replicationAddress, password, networks: anyNetwork, options: {} };
}

/** A tenant's and an operator's hands: straight into the network. */
function hands(
  network: Network,
  source: string,
): Omit<HostPair, 'source' | 'target' | 'connections' | 'close'> {
  let databases = 0;
  const nameOf = (site: HostSite): string => hostNameOf(site.url) ?? '';
  const ask = <K extends Kind>(
    site: HostSite,
    kind: K,
    input: Inputs[K],
  ): ReturnType<typeof network.ask<K>> =>
    network.ask(nameOf(site), { link: 'tenant', password: 'secret', options: {} }, kind, input, Date.now());
  const answered = (reply: { readonly kind: string }): 'acknowledged' | 'refused' =>
    reply.kind === 'answer' ? 'acknowledged' : 'refused';
  return {
    createDatabase(rows, site, name) {
      databases += 1;
      const database = name ?? `tenant ${String(databases)} „Ö“`;
      const host = site === undefined ? source : nameOf(site);
      network.addDatabase(host, { name: database, rows }, Date.now());
      return Promise.resolve(database);
    },
    write: (site, database, seq) =>
      Promise.resolve(answered(ask(site, 'write', { database, writer: 'first', seq }))),
    writeSlowly(site, database, seq) {
      const begun = ask(site, 'begin', { database, writer: 'first', seq });
      if (begun.kind !== 'answer') throw new Error('the database does not serve');
      const { transaction } = begun.output;
      return Promise.resolve(() => Promise.resolve(answered(ask(site, 'commit', { transaction }))));
    },
    read(site, database) {
      const found = ask(site, 'rows', { database });
      if (found.kind !== 'answer') throw new Error(`no database ${database}`);
      return Promise.resolve(found.output.rows.map(({ seq }) => seq));
    },
    exists: (site, database) => Promise.resolve(ask(site, 'rows', { database }).kind === 'answer'),
    picture(site) {
      const host = network.hosts.get(nameOf(site));
      const databases = [...(host?.databases.values() ?? [])].map(({ token: _, ...rest }) => rest);
      const { slots, publications, subscriptions, sessions } = host ?? {};
      const rest = [slots, publications, subscriptions, sessions].map((map) => [...(map?.entries() ?? [])]);
      return Promise.resolve(JSON.stringify({ databases, rest }));
    },
    cutSessions(site, database) {
      ask(site, 'cut-sessions', { database });
      return Promise.resolve();
    },
  };
}

function moversOn(network: Network, site: HostSite): number {
  const sessions = network.hosts.get(hostNameOf(site.url) ?? '')?.sessions.values() ?? [];
  return [...sessions].filter(({ token }) => token !== undefined).length;
}

/** A worker that dies at its `message`-th question, before or after the host has answered it. */
function dying(transport: Transport, message: number, when: 'before' | 'after'): Transport {
  let asked = 0;
  return {
    pause: transport.pause,
    connect(site) {
      const link = transport.connect(site);
      const mortal: Link = {
        async ask(kind, input) {
          asked += 1;
          const mine = asked;
          if (mine === message && when === 'before') throw new Died(`before ${kind}`);
          const answer = await link.ask(kind, input);
          if (mine === message) throw new Died(`after ${kind}`);
          return answer;
        },
        close: () => link.close(),
      };
      return mortal;
    },
  };
}
