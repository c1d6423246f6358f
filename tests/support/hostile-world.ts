import { setTimeout as delay } from 'node:timers/promises';
import { createMemoryStore } from './memory-store.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryBus } from './memory-bus.ts';
import { createMemoryPermits } from './memory-permits.ts';
import { createMemorySecrets } from './memory-secrets.ts';
import { MemoryTable } from './memory-table.ts';
import { hostOf } from './sample-batch.ts';
import { createViews } from '../../shared/aws/views.ts';
import type { QueryRows } from '../../shared/aws/rows-query.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import type { Host } from '../../shared/domain/host.ts';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { simulatedDriver } from '../../shared/drivers/simulated/driver.ts';
import { inProcess } from '../../shared/drivers/simulated/in-process.ts';
import { Network } from '../../shared/drivers/simulated/network.ts';
import type { Store } from '../../shared/ports/store.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { driverRegistry } from '../../shared/runtime/drivers.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { acceptRequest } from '../../shared/workflow/requests/accept-request.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';
import { scalingBounds } from './scaling-bounds.ts';

export type Topic = 'requests' | 'host-changes';

/** 21 November 2026, 09:00:00 UTC: when every event of these tests is received. */
export const receivedAt = Date.UTC(2026, 10, 21, 9);

/**
 * An installation with a little of everything, to which events are sent: hosts that serve (`h1`, `h2`), one that is
 * cordoned (`shut`), one that is unwell (`ill`), three whose intent has been set before (`seq`, `seq2`, `late`); endpoints on
 * `h1` (`shop`; `busy`, which is moving) and `h2` (`blog`).
 */
export class HostileWorld {
  readonly blobs = new MemoryBlobs();
  readonly bus = new MemoryBus({ now: () => receivedAt });
  readonly store: Store;

  readonly #query: QueryRows;

  private constructor(store: Store, query: QueryRows) {
    this.store = store;
    this.#query = query;
  }

  static async over(store: Store, query: QueryRows): Promise<HostileWorld> {
    const world = new HostileWorld(store, query);
    await world.#furnish();
    return world;
  }

  static async inMemory(): Promise<{ readonly world: HostileWorld; readonly table: MemoryTable }> {
    const table = new MemoryTable();
    const world = await HostileWorld.over(createMemoryStore(table, { chance: machineChance }), table.query);
    return { world, table };
  }

  /** Delivers a text as the queue of a topic does. */
  async deliver(topic: Topic, text: string): Promise<void> {
    const { store, blobs, bus } = this;
    const clock = { ...machineClock, now: () => receivedAt };
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const views = createViews({ query: this.#query, clock });
    const settings = {
      installation: 'test',
      leaseMs: {},
      slowStoreMs: 1,
      patienceMs: 1,
      freshMs: 1,
      hostNetworks: anyNetwork,
      scaling: scalingBounds,
    };
    const calendar = machineCalendar;
    const fate = { clock, calendar, chance: machineChance };
    const services = { store, views, blobs, bus, ...fate, log, tracer: untraced, settings };
    if (topic === 'requests') {
      await acceptRequest(services, parseRequest(text, receivedAt));
    } else {
      const secrets = createMemorySecrets(new Map());
      const driver = driverRegistry({ simulated: async () => simulatedDriver(transport) });
      await reactToHostChange({ ...services, secrets, driver }, parseHostChange(text, receivedAt));
    }
  }

  async #furnish(): Promise<void> {
    const cordoned = { value: 'cordoned', sequence: 10, reason: 'test' } as const;
    await this.#host('h1', { systemIdentifier: '1' });
    await this.#host('h2');
    await this.#host('shut', { intent: cordoned });
    await this.#host('ill', {
      signals: { 'disk-failing': { kind: 'failed', since: receivedAt, at: receivedAt } },
    });
    await this.#host('seq', { intent: cordoned });
    await this.#host('seq2', { intent: { ...cordoned, value: 'draining' } });
    await this.#host('late', {
      intent: { value: 'active', sequence: receivedAt - 60_000, reason: 'test' },
    });
    await this.endpoint('shop', 'h1');
    await this.endpoint('busy', 'h1', { move: moveId('mv_0000000000000000'), firstToken: 1 });
    await this.endpoint('blog', 'h2');
  }

  async #host(name: string, change: Partial<Host> = {}): Promise<void> {
    await this.store.insert(
      'host',
      hostOf(name, { driver: 'simulated', movesOut: 10, movesIn: 10, ...change }),
    );
  }

  /** Places one more endpoint. */
  async endpoint(
    name: string,
    host: string,
    claim?: { readonly move: ReturnType<typeof moveId>; readonly firstToken: number },
  ): Promise<void> {
    await this.store.insert('endpoint', {
      endpoint: endpointName(name),
      driver: 'simulated',
      host: hostName(host),
      database: name,
      epoch: 1,
      arbitration: { kind: 'serving' },
      ...(claim === undefined ? {} : { claim }),
      claims: 0,
      announcedEpoch: 1,
      sizeBytes: 0,
      labels: { tier: 'gold' },
      registeredAt: receivedAt,
      version: 1,
    });
  }
}

/** What planner, dispatcher and sweep work with in such a world. */
export function planningServices({ store, blobs, bus }: HostileWorld, table: MemoryTable) {
  return {
    store,
    blobs,
    bus,
    permits: createMemoryPermits(table),
    views: createViews({ query: table.query, clock: machineClock }),
    clock: machineClock,
    calendar: machineCalendar,
    chance: machineChance,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    meter: { note: () => undefined },
    tracer: untraced,
    settings: {
      installation: 'test',
      leaseMs: {},
      slowStoreMs: 1_000,
      patienceMs: 1_000,
      freshMs: 1_000,
      hostNetworks: anyNetwork,
      scaling: scalingBounds,
    },
  };
}

const network = new Network();
network.addHost({ name: 's2' });
network.addHost({ name: 's9' });
const transport = inProcess(network, { now: Date.now, sleep: async (ms: number) => delay(ms) });
