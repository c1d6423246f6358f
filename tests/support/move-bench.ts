import { createViews } from '../../shared/aws/views.ts';
import { workMessage } from '../../shared/contracts/messages.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { MoveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { fresh } from '../../shared/domain/transition.ts';
import { simulatedDriver } from '../../shared/drivers/simulated/driver.ts';
import { inProcess } from '../../shared/drivers/simulated/in-process.ts';
import { Network } from '../../shared/drivers/simulated/network.ts';
import type { HostDriver, MoveJob } from '../../shared/ports/driver.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import type { Services } from '../../shared/workflow/services.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';
import { ManualClock } from './engine-bench.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryBus } from './memory-bus.ts';
import { createMemoryJournal } from './memory-journal.ts';
import { createMemoryPermits } from './memory-permits.ts';
import { createMemorySecrets } from './memory-secrets.ts';
import { createMemoryStore } from './memory-store.ts';
import { MemoryTable } from './memory-table.ts';
import { notedDriver, type HostCall } from './noted-driver.ts';
import { hostOf, moveOf, states } from './sample-batch.ts';
import { scalingBounds } from './scaling-bounds.ts';

/**
 * The services over memory and simulated hosts `a` and `b`, with a hand-turned clock; every call to a host is
 * noted, and a test can look round, or fail, just before it.
 */
export class MoveBench {
  readonly clock = new ManualClock();
  readonly table = new MemoryTable();
  readonly network = new Network();
  readonly bus = new MemoryBus(this.clock);
  readonly calls: HostCall[] = [];
  /** The secrets that are stored, by reference. */
  readonly passwords = new Map([['password', 'secret']]);
  /** What each worker was given to work on, the latest last. */
  readonly jobs: MoveJob[] = [];
  /** Asked before each call to the hosts of a move. */
  beforeCall: (call: HostCall) => Promise<void> | void = () => undefined;
  readonly services: Services;

  /** @param over where its rows are, if not in memory */
  constructor(over?: Pick<Services, 'store' | 'permits' | 'views'>) {
    const { clock, table } = this;
    const simulated = this.#remembering(simulatedDriver(inProcess(this.network, clock)));
    const driver = notedDriver(simulated, async (call, go) => {
      await this.beforeCall(call);
      this.calls.push(call);
      return go();
    });
    this.services = {
      clock,
      calendar: machineCalendar,
      chance: { ...machineChance, fraction: () => 0 },
      store: over?.store ?? createMemoryStore(table, { chance: machineChance }),
      permits: over?.permits ?? createMemoryPermits(table),
      journal: createMemoryJournal(table),
      views: over?.views ?? createViews({ query: table.query, clock }),
      blobs: new MemoryBlobs(),
      bus: this.bus,
      secrets: createMemorySecrets(this.passwords),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      meter: { note: () => undefined },
      tracer: untraced,
      driver: () => Promise.resolve(driver),
      settings: {
        installation: 'bench',
        leaseMs: { transfer: 30_000, cutover: 5_000, retire: 30_000, rollback: 30_000 },
        slowStoreMs: 500,
        patienceMs: 900_000,
        freshMs: 600_000,
        hostNetworks: anyNetwork,
        scaling: scalingBounds,
      },
    };
  }

  async addHost(name: string, change: Partial<Host> = {}): Promise<Host> {
    this.network.addHost({ name, password: 'secret' });
    const host = hostOf(name, {
      driver: 'simulated',
      url: `sim://here/${name}`,
      replicationAddress: name,
      secret: 'password',
      systemIdentifier: `sim-${name}`,
      ...change,
    });
    await this.services.store.insert('host', host);
    return host;
  }

  /** An endpoint with five rows on `a`, and its move to `b`, which holds it and has just begun. */
  async begin(target: Partial<Host> = {}): Promise<Move> {
    await this.addHost('a');
    await this.addHost('b', target);
    this.network.addDatabase('a', { name: 'shop', rows: 5 }, this.clock.now());
    const move = await this.addMove({ ...begun, dueAt: this.clock.now() });
    await this.services.store.insert('endpoint', placementOf(move));
    await this.bus.sendWork({ kind: 'work', task: move.id, phase: 'transfer' }, 0);
    return move;
  }

  async addMove(status: ExecutionState): Promise<Move> {
    const plain = moveOf(1, 'shop', status);
    const move: Move = {
      ...plain,
      driver: 'simulated',
      createdAt: this.clock.now(),
      execution: {
        ...plain.execution,
        token: firstToken,
        last: { fact: 'admitted', at: this.clock.now(), by: 'test' },
      },
    };
    await this.services.store.insert('move', move);
    return move;
  }

  async move(): Promise<Move> {
    const move = await this.services.store.load('move', { id: moveOf(1, 'shop', states.waiting).id });
    if (move === undefined) throw new Error('there is no move');
    return move;
  }

  async placement(): Promise<Placement> {
    const placement = await this.services.store.load('endpoint', { endpoint: (await this.move()).endpoint });
    if (placement === undefined) throw new Error('there is no placement');
    return placement;
  }

  /** Delivers work in order of time, a message at a time, until `until` holds or nothing is left. */
  async deliver(until: (move: Move) => boolean = () => false): Promise<void> {
    await this.deliverTo((await this.move()).id, until);
  }

  /** The same, for whichever move `until` is asked about. */
  async deliverTo(id: MoveId, until: (move: Move) => boolean = () => false): Promise<void> {
    const move = async (): Promise<Move> => {
      const found = await this.services.store.load('move', { id });
      if (found === undefined) throw new Error('there is no move');
      return found;
    };
    for (let turn = 0; turn < 200 && !until(await move()); turn += 1) {
      this.bus.sent.sort((one, other) => one.at - other.at);
      const at = this.bus.sent.findIndex(({ queue }) => queue in this.services.settings.leaseMs);
      const [next] = at < 0 ? [] : this.bus.sent.splice(at, 1);
      if (next === undefined) return;
      this.clock.pass(Math.max(0, next.at - this.clock.now()));
      const started = this.clock.now();
      await workOnMove(this.services, workMessage.parse(JSON.parse(next.text)), {
        owner: `worker-${String(turn)}`,
        remainingMs: () => started + 60_000 - this.clock.now(),
      });
    }
  }

  #remembering(driver: HostDriver): HostDriver {
    return {
      ...driver,
      begin: (job) => {
        this.jobs.push(job);
        return driver.begin(job);
      },
    };
  }
}

const firstToken = 1_000_000;
const begun = {
  state: 'running',
  step: 'preflight',
  ...fresh,
  forwardOnly: false,
  retreats: 0,
} as const;

/** The placement of a move's endpoint while the move has it. */
function placementOf({ id, endpoint, source, database }: Move): Placement {
  return {
    endpoint,
    driver: 'simulated',
    host: source,
    database,
    epoch: 1,
    arbitration: { kind: 'serving' },
    claim: { move: id, firstToken },
    claims: 1,
    announcedEpoch: 1,
    sizeBytes: 1,
    labels: {},
    registeredAt: 0,
    version: 1,
  };
}
