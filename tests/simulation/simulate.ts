import { isTerminal } from '../../shared/domain/execution.ts';
import { freshFleet, knobDefaults } from '../../shared/domain/fleet.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import { Network } from '../../shared/drivers/simulated/network.ts';
import { untraced, type Tracer } from '../../shared/ports/tracer.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { Dice } from '../support/dice.ts';
import { MemoryBlobs } from '../support/memory-blobs.ts';
import { MemoryBus } from '../support/memory-bus.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { MemoryTable, type MemoryChange } from '../support/memory-table.ts';
import { Clients } from './clients.ts';
import { Cloud } from './cloud.ts';
import { complaints } from './ending.ts';
import { FaultDesk } from './fault-desk.ts';
import { planFaults, type Fault } from './faults.ts';
import { assertAlways, assertGone, assertSwept, Broken, type Scope } from './invariants.ts';
import { password } from './ports.ts';
import { generation, type Generation } from './generation.ts';
import type { Surroundings } from './process.ts';
import { Standing } from './records.ts';
import { assertChange, assertTold } from './row-invariants.ts';
import { planScenario, type Scenario } from './scenario.ts';
import { rest, Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { Weather } from './weather.ts';

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  /** The same for two runs that were the same. */
  readonly hash: string;
  readonly events: number;
  readonly hosts: number;
  readonly moves: number;
  readonly moved: number;
  readonly writes: number;
  /** Faults that were planned, and those that came to pass. */
  readonly planned: number;
  readonly struck: readonly Fault[];
  /** What was broken, in a sentence; undefined: nothing. */
  readonly broken?: string;
  readonly lines: readonly string[];
}

/** 21 November 2026, 09:00:00 UTC. */
const began = Date.UTC(2026, 10, 21, 9, 0, 0);
/** After this many events something goes round in circles. */
const mostEvents = 150_000;
/** After this long without a fault everything has come to its end. */
const calmMs = 30 * 60_000;
/** Clients go on writing into the calm for this long. */
const writingMs = 20_000;
const lookMs = 5_000;
/** A host has to be failed for so long before it is emptied. */
const graceMs = 8_000;
const sweepEveryMs = { rows: 30_000, hosts: 60_000 };

/** What a seed has in store. */
export function planOf(seed: number): { readonly scenario: Scenario; readonly faults: readonly Fault[] } {
  const scenario = planScenario(seed);
  const hosts = scenario.hosts.map(({ name }) => name);
  const moves = scenario.endpoints.length;
  return { scenario, faults: planFaults(seed, { hosts, moves, untilMs: scenario.calmAtMs - 5_000 }) };
}

/** How a scenario is run that is not run as always. */
export interface Run {
  readonly keepsLines?: boolean;
  /** The release of which a process is that begins so many milliseconds after the beginning. By default this one. */
  readonly deployed?: (afterMs: number, dice: Dice) => Generation;
  /** Told of every span. */
  readonly tracer?: Tracer;
  /** Told of every write of the table. */
  readonly onChange?: (change: MemoryChange) => void;
}

/** Runs one scenario from its beginning until everything has come to its end. */
export async function simulate(
  seed: number,
  plan: readonly Fault[] = planOf(seed).faults,
  run: Run = {},
): Promise<Outcome> {
  const { scenario } = planOf(seed);
  const simulation = new Simulation(seed, scenario, plan, run);
  await simulation.prepare();
  return await simulation.run();
}

class Simulation {
  readonly #seed: number;
  readonly #scenario: Scenario;
  readonly #plan: readonly Fault[];
  readonly #run: Run;
  readonly #around: Surroundings;
  readonly #standing = new Standing();
  readonly #blobs = new MemoryBlobs();
  readonly #bus: MemoryBus;
  readonly #cloud: Cloud;
  readonly #clients: Clients;
  readonly #weather: Weather;
  readonly #scope: Scope;
  /** Which host served each epoch of each endpoint. */
  readonly #homes = new Map<string, string>();
  #told = 0;
  #events = 0;
  /** Workers live, hosts and the table answer: only the sweep is needed. */
  readonly #losesOnlyMessages: boolean;
  #broken: string | undefined;
  #isOver = false;

  constructor(seed: number, scenario: Scenario, plan: readonly Fault[], run: Run) {
    this.#seed = seed;
    this.#run = run;
    this.#scenario = scenario;
    this.#plan = plan;
    this.#losesOnlyMessages = plan.every(({ kind }) => kind === 'queues' || kind === 'stream');
    const timeline = new Timeline(began);
    this.#around = {
      timeline,
      dice: new Dice(seed ^ 0x0ddba11),
      trace: new Trace(run.keepsLines ?? false, began),
      faults: new FaultDesk(plan),
      network: new Network(),
      table: new MemoryTable(),
      touched: { world: true },
      weather: { table: 'well' },
    };
    const { dice, table, network } = this.#around;
    this.#bus = new MemoryBus({ now: () => timeline.now });
    const skewMs = plan.find((fault) => fault.kind === 'skew')?.mostMs ?? 0;
    const { tracer = untraced } = run;
    const { settings } = scenario;
    const backing = { table, blobs: this.#blobs, bus: this.#bus, dice, settings, tracer };
    const deployed = (): Generation => run.deployed?.(timeline.now - began, dice) ?? generation;
    this.#cloud = new Cloud(this.#around, backing, skewMs, deployed);
    this.#clients = new Clients(this.#around, this.#standing);
    this.#weather = new Weather(this.#around, this.#cloud, scenario);
    this.#scope = { standing: this.#standing, network, written: this.#clients.written, whole: new Map() };
  }

  /** Hosts and endpoints are there and known. */
  async prepare(): Promise<void> {
    const { network, table, timeline } = this.#around;
    table.onChange = (change) => {
      const told = this.#standing.take(change);
      if (told?.kind === 'endpoint' && told.after !== undefined) this.#noteHome(told.after);
    };
    const store = createMemoryStore(table, { chance: machineChance });
    await store.insert('fleet', { ...freshFleet, knobs: { ...knobDefaults, graceMs } });
    for (const { name, behaviour } of this.#scenario.hosts) {
      network.addHost({ name, password, behaviour });
      await store.insert('host', {
        name: hostName(name),
        driver: 'simulated',
        url: `sim://here/${name}`,
        replicationAddress: name,
        clientAddress: name,
        secret: 'hosts',
        zone: 'z',
        intent: { value: 'active', sequence: 0, reason: 'registered' },
        labels: {},
        sequences: {},
        signals: {},
        cleared: {},
        systemIdentifier: `sim-${name}`,
        serverVersion: '18',
        movesOut: behaviour.slots ?? 1,
        movesIn: behaviour.workers ?? 1,
        permitsOut: [],
        permitsIn: [],
        reserved: {},
        options: {},
        registeredAt: timeline.now,
        version: 1,
      });
    }
    for (const { name, database, host, bytes, rows, labels } of this.#scenario.endpoints) {
      network.addDatabase(host, { name: database, bytes, rows }, timeline.now);
      await store.insert('endpoint', {
        endpoint: endpointName(name),
        driver: 'simulated',
        host: hostName(host),
        database,
        epoch: 1,
        arbitration: { kind: 'serving' },
        claims: 0,
        announcedEpoch: 1,
        sizeBytes: bytes,
        labels,
        registeredAt: timeline.now,
        version: 1,
      });
    }
    table.onChange = (change) => {
      this.#run.onChange?.(change);
      const told = this.#standing.take(change);
      if (told === undefined) return;
      if (told.kind === 'endpoint' && told.after !== undefined) this.#noteHome(told.after);
      this.#guard(() => {
        assertChange(this.#standing, told);
      });
      if (told.kind === 'move' || told.kind === 'endpoint') this.#cloud.stream(told);
    };
    this.#standing.onForgotten = (of, key) => {
      this.#guard(() => {
        assertGone(this.#scope, of, key);
      });
    };
    this.#cloud.onLeftRunning = (what) => {
      this.#broken ??= what;
    };
  }

  async run(): Promise<Outcome> {
    const { timeline } = this.#around;
    this.#weather.forecast(this.#plan);
    this.#cloud.keepSchedule(sweepEveryMs);
    this.#clients.remember();
    for (const { name, database, everyMs } of this.#scenario.endpoints) {
      this.#clients.begin(name, database, everyMs);
    }
    for (const { atMs, queue, text } of this.#scenario.publications) {
      timeline.after(atMs, () => {
        this.#cloud.publish(queue, text);
      });
    }
    timeline.after(this.#scenario.calmAtMs, () => {
      this.#calmDown();
    });
    while (this.#broken === undefined && !this.#isOver) {
      const happen = timeline.next();
      if (happen === undefined) break;
      happen();
      await rest();
      this.#lookAt();
    }
    return this.#outcome();
  }

  /** Every promise, after every event. */
  #lookAt(): void {
    this.#events += 1;
    if (this.#events > mostEvents) this.#broken ??= `it goes round in circles: ${String(mostEvents)} events`;
    if (this.#losesOnlyMessages) {
      this.#guard(() => {
        assertSwept(this.#standing, this.#around.timeline.now, sweepEveryMs.rows);
      });
    }
    if (!this.#around.touched.world) return;
    this.#around.touched.world = false;
    this.#guard(() => {
      assertAlways(this.#scope);
      const { announced } = this.#bus;
      if (announced.length > this.#told) assertTold(this.#homes, announced.slice(this.#told));
      this.#told = announced.length;
    });
  }

  #calmDown(): void {
    const { faults, timeline, trace } = this.#around;
    trace.add(timeline.now, 'calm');
    faults.isCalm = true;
    this.#weather.clear();
    this.#cloud.redrive();
    timeline.after(calmMs, () => {
      this.#broken ??= `after ${String(calmMs / 60_000)} calm minutes: ${this.#complaints().slice(0, 8).join('; ')}`;
    });
    timeline.after(writingMs, () => {
      this.#clients.end();
    });
    this.#lookForTheEnd();
  }

  /** Once everything has come to its end, clients and sweeps may rest; then nothing may be left at all. */
  #lookForTheEnd(): void {
    this.#around.timeline.after(lookMs, () => {
      if (this.#complaints().length === 0) this.#isOver = true;
      else this.#lookForTheEnd();
    });
  }

  #complaints(): readonly string[] {
    return complaints(this.#standing, this.#around.network, this.#cloud, this.#bus);
  }

  #noteHome({
    endpoint,
    epoch,
    host,
  }: {
    readonly endpoint: string;
    readonly epoch: number;
    readonly host: string;
  }): void {
    this.#homes.set(`${endpoint}:${String(epoch)}`, host);
  }

  #guard(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.#broken ??= error.message;
    }
  }

  #outcome(): Outcome {
    const { trace, faults, network } = this.#around;
    const moves = [...this.#standing.moves.values()].filter(({ source, target }) => source !== target);
    const ended = [...this.#standing.moves.values()].map(({ id, execution: { status, token } }) =>
      [id, isTerminal(status.state) ? status.state : 'open', String(token)].join(' '),
    );
    trace.add(this.#around.timeline.now, `ends: ${ended.join(', ')}`);
    return {
      seed: this.#seed,
      hash: trace.hash,
      events: this.#events,
      hosts: network.hosts.size,
      moves: moves.length,
      moved: moves.filter(({ execution: { status } }) => status.state === 'completed').length,
      writes: network.acknowledged.length,
      planned: this.#plan.length,
      struck: [...faults.struck],
      ...(this.#broken === undefined ? {} : { broken: this.#broken }),
      lines: trace.lines,
    };
  }
}
