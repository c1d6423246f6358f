import type { Behaviour } from '../../shared/drivers/simulated/behaviour.ts';
import { crash } from '../../shared/drivers/simulated/model.ts';
import type { Cloud } from './cloud.ts';
import { tellFault, type Fault } from './faults.ts';
import type { Surroundings } from './process.ts';
import type { Scenario } from './scenario.ts';

type FaultAt = Extract<Fault, { readonly at: number }>;
type HostFault = Extract<Fault, { readonly kind: 'host' }>;

/** What is said of a host's health, as an event. */
function wordOf({ host, at, what }: Extract<Fault, { readonly kind: 'health' }>, now: number): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `${what}-${host}-${String(at)}`,
    source: 'watch',
    type: what === 'fail' ? 'host.failed' : 'host.recovered',
    data: { host, at: new Date(now).toISOString() },
  });
}

/** Brings what befalls hosts, the table and processes at its time, and takes it away again. */
export class Weather {
  readonly #around: Surroundings;
  readonly #cloud: Cloud;
  readonly #usual: ReadonlyMap<string, Behaviour>;
  /** What weighs on each host just now. */
  readonly #burdens = new Map<string, Set<HostFault>>();

  constructor(around: Surroundings, cloud: Cloud, scenario: Scenario) {
    this.#around = around;
    this.#cloud = cloud;
    this.#usual = new Map(scenario.hosts.map(({ name, behaviour }) => [name, behaviour]));
  }

  forecast(plan: readonly Fault[]): void {
    for (const fault of plan) {
      if (!('at' in fault)) continue;
      this.#around.timeline.after(fault.at, () => {
        const { faults, trace, timeline } = this.#around;
        if (faults.isCalm) return;
        faults.strike(fault);
        this.#around.touched.world = true;
        trace.add(timeline.now, tellFault(fault));
        this.#bring(fault);
      });
    }
  }

  /** Everything is well from now on. */
  clear(): void {
    this.#around.weather.table = 'well';
    for (const [host, burdens] of this.#burdens) {
      burdens.clear();
      this.#burden(host);
    }
  }

  #bring(fault: FaultAt): void {
    const { timeline, weather, dice } = this.#around;
    switch (fault.kind) {
      case 'queues':
        this.#cloud.emptyQueues();
        return;
      case 'table':
        weather.table = fault.what;
        timeline.after(fault.forMs, () => {
          weather.table = 'well';
        });
        return;
      case 'process': {
        const working = [...this.#cloud.processes].filter(({ isAlive }) => isAlive);
        if (working.length === 0) return;
        const process = dice.pick(working);
        if (fault.what === 'kill') process.kill('by chance');
        else process.stop(fault.forMs);
        return;
      }
      case 'health':
        this.#cloud.publish('host-changes', wordOf(fault, timeline.now));
        return;
      case 'host':
        this.#bringToHost(fault);
        return;
      default:
        fault satisfies never;
    }
  }

  #bringToHost(fault: HostFault): void {
    const { network, timeline } = this.#around;
    const host = network.hosts.get(fault.host);
    if (host === undefined) return;
    if (fault.what === 'cut-sessions') {
      host.sessions.clear();
      return;
    }
    if (fault.what === 'down' || fault.what === 'restart') crash(host);
    const burdens = this.#burdens.get(fault.host) ?? new Set();
    this.#burdens.set(fault.host, burdens);
    burdens.add(fault);
    host.struck.delete(`${fault.what} ${fault.operation}`);
    this.#burden(fault.host);
    const forMs = fault.what === 'restart' ? Math.min(fault.forMs, 1_500) : fault.forMs;
    // What waits for a certain operation waits until it comes.
    if (fault.what === 'fail' || fault.what === 'lose') return;
    timeline.after(forMs, () => {
      burdens.delete(fault);
      this.#burden(fault.host);
    });
  }

  #burden(name: string): void {
    const host = this.#around.network.hosts.get(name);
    if (host === undefined) return;
    const burdens = [...(this.#burdens.get(name) ?? [])];
    const times = (what: 'fail' | 'lose'): Record<string, number> =>
      Object.fromEntries(burdens.filter((each) => each.what === what).map((each) => [each.operation, 1]));
    host.behaviour = {
      ...this.#usual.get(name),
      ...(burdens.some(({ what }) => what === 'down' || what === 'restart') ? { down: true } : {}),
      ...(burdens.some(({ what }) => what === 'slow') ? { slowMs: 1_200 } : {}),
      fail: times('fail'),
      lose: times('lose'),
    };
  }
}
