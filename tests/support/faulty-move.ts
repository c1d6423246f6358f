import type { PostgresServer } from '../../local/demo/servers.ts';
import type { WriterHistory } from '../../local/demo/history.ts';
import { createRoles, createTenant, planTenant, type Tenant } from '../../local/demo/tenants.ts';
import { Writers } from '../../local/demo/writers.ts';
import { createViews } from '../../shared/aws/views.ts';
import { workMessage } from '../../shared/contracts/messages.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import { explainMove } from '../../shared/domain/explain.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { MovePolicy } from '../../shared/domain/policy.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';
import type { Services } from '../../shared/workflow/services.ts';
import type { FaultHosts } from './fault-hosts.ts';
import { LeapingClock } from './leaping-clock.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryBus } from './memory-bus.ts';
import { createMemoryJournal } from './memory-journal.ts';
import { createMemoryPermits } from './memory-permits.ts';
import { createMemorySecrets } from './memory-secrets.ts';
import { createMemoryStore } from './memory-store.ts';
import { MemoryTable } from './memory-table.ts';
import { MoveDiary, type Entry, type Told } from './move-diary.ts';
import { notedDriver } from './noted-driver.ts';
import { recordMove } from './recorded-move.ts';
import { moveOf } from './sample-batch.ts';
import { onStatement } from './statement-hook.ts';
import { Strikes, type Moment } from './strikes.ts';
import { unanswering } from './unanswering-store.ts';
import { WorkerLife } from './worker-life.ts';
import { scalingBounds } from './scaling-bounds.ts';

export interface FaultyMoveOptions {
  readonly content?: Tenant['content'];
  readonly policy?: Partial<MovePolicy>;
  /** Milliseconds that a function lives, with its margin taken off; a minute by default. */
  readonly lifeMs?: number;
  /** Writers of the tenant; 2 by default. */
  readonly writers?: number;
  readonly patienceMs?: number;
  readonly installation?: string;
  /** Ports by which the mover reaches the hosts, where they are not the servers' own. */
  readonly ports?: { readonly source?: number; readonly target?: number };
}

let moves = 0;
const begun: FaultyMove[] = [];

/** Ends the clients of all moves: after each test, however it went. */
export async function endClients(): Promise<void> {
  for (const move of begun.splice(0)) {
    move.life.end('connections-closed');
    await move.stopWriters();
  }
}

const mostTurns = 300;
/** Between the time for a safe point and the platform's kill, as in the embedded cloud. */
const marginMs = 4_000;
const redeliveryMs = 1_000;

/**
 * One endpoint that is moved between real servers by the real engine and driver, while its clients write. Table
 * and queues are in memory; time between two invocations is leapt over. A test strikes where it likes.
 */
export class FaultyMove {
  readonly hosts: FaultHosts;
  readonly tenant: Tenant;
  readonly clock = new LeapingClock();
  readonly table = new MemoryTable();
  readonly bus = new MemoryBus(this.clock);
  readonly secrets: Map<string, string>;
  readonly services: Services;
  /** Clients find the endpoint at the target only once this is set: until then both sides can be compared. */
  doorOpen = false;
  /** Milliseconds until the next functions must be at a safe point. */
  lifeMs: number;
  /** Functions that were not there in time, and were killed for it. */
  killed = 0;
  /** What workers ask of the table is not answered. */
  tableAway = false;
  /** So many calls of workers were not. */
  unanswered = 0;
  /** The worker that works now, or worked last. */
  life = new WorkerLife();
  readonly #id: Move['id'];
  readonly #options: FaultyMoveOptions;
  readonly #strikes = new Strikes();
  readonly #diary = new MoveDiary(this.clock);
  #writers: Writers | undefined;
  #workers = 0;

  private constructor(hosts: FaultHosts, tenant: Tenant, nth: number, options: FaultyMoveOptions) {
    this.hosts = hosts;
    this.tenant = tenant;
    this.#options = options;
    this.lifeMs = options.lifeMs ?? 60_000;
    this.#id = moveOf(nth, tenant.name, { state: 'completed', endedAt: 0 }).id;
    const { clock, table, bus } = this;
    this.secrets = new Map(
      [hosts.source, hosts.target].map((server) => [`of ${server.name}`, server.address.password]),
    );
    this.services = {
      clock,
      calendar: machineCalendar,
      chance: { ...machineChance, fraction: () => 0 },
      store: createMemoryStore(table, { chance: machineChance }),
      permits: createMemoryPermits(table),
      journal: createMemoryJournal(table),
      views: createViews({ query: table.query, clock }),
      blobs: new MemoryBlobs(),
      bus,
      secrets: createMemorySecrets(this.secrets),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      meter: { note: () => undefined },
      tracer: untraced,
      driver: () => Promise.resolve(postgresDriver),
      settings: {
        installation: options.installation ?? 'faults',
        leaseMs: { transfer: 30_000, cutover: 5_000, retire: 30_000, rollback: 30_000 },
        slowStoreMs: 500,
        patienceMs: options.patienceMs ?? 10_000,
        freshMs: 600_000,
        hostNetworks: anyNetwork,
        scaling: scalingBounds,
      },
    };
    table.onChange = (change) => this.#diary.note(change);
    onStatement(async (statement, send) => {
      const mine = `drayage/${this.services.settings.installation}/${this.#id}/`;
      if (statement.application?.startsWith(mine) !== true) return send();
      const { source, target } = this.#ports();
      const on = statement.port === source ? 'source' : statement.port === target ? 'target' : undefined;
      return this.#strikes.onStatement(statement, on, send);
    });
  }

  /** A tenant on the source whose clients write, and its move, admitted and not begun. */
  static async begin(hosts: FaultHosts, options: FaultyMoveOptions = {}): Promise<FaultyMove> {
    moves += 1;
    const tenant = planTenant(`shop${String(moves)}`, options.content ?? { shop: 0 });
    await Promise.all([createRoles(hosts.source, [tenant]), createRoles(hosts.target, [tenant])]);
    await createTenant(hosts.source, tenant);
    const move = new FaultyMove(hosts, tenant, moves, options);
    await recordMove(move.services, hosts, {
      nth: moves,
      endpoint: tenant.name,
      database: tenant.database,
      ports: move.#ports(),
      policy: options.policy ?? {},
    });
    begun.push(move);
    return move;
  }

  /** Where the mover meets a statement or a call, it happens; once. */
  strike(moment: Moment, act: () => Promise<void> | void): void {
    this.#strikes.add(moment, act);
  }

  /** Strikes that have not happened yet. */
  get pending(): number {
    return this.#strikes.pending;
  }

  get told(): readonly Told[] {
    return this.#diary.told;
  }

  get history(): readonly Entry[] {
    return this.#diary.history;
  }

  get arbitrations(): MoveDiary['arbitrations'] {
    return this.#diary.arbitrations;
  }

  startWriters(): void {
    this.#writers = new Writers([this.tenant], {
      locate: async () => {
        const { host, database } = await this.placement();
        const server = this.#serverOf(host);
        if (server === this.hosts.target && !this.doorOpen) throw new Error('clients are not told yet');
        return { host: server.address.host, port: server.address.port, database };
      },
      perTenant: this.#options.writers ?? 2,
      rate: 40,
    });
  }

  /** Codes of what the move was seen to be kept by, of which a sentence names this host, and the cure is told. */
  reasonsAbout(server: PostgresServer): string[] {
    const { source, target } = this.#ports();
    const port = server === this.hosts.source ? source : target;
    const names = [server.name, `${server.address.host}:${String(port)}`];
    return this.told
      .filter(({ sentence, cure }) => names.some((name) => sentence.includes(name)) && cure !== undefined)
      .map(({ code }) => code);
  }

  /** Lines that its clients know to be committed. */
  get lines(): number {
    return this.#writers?.tally()[0]?.lines ?? 0;
  }

  /** Lets every client learn the fate of its last line. @returns histories by endpoint */
  async stopWriters(): Promise<ReadonlyMap<string, WriterHistory[]>> {
    const writers = this.#writers;
    this.#writers = undefined;
    return (await writers?.stop()) ?? new Map<string, WriterHistory[]>();
  }

  async move(): Promise<Move> {
    const move = await this.services.store.load('move', { id: this.#id });
    if (move === undefined) throw new Error('there is no move');
    return move;
  }

  async placement(): Promise<Placement> {
    const { endpoint } = await this.move();
    const placement = await this.services.store.load('endpoint', { endpoint });
    if (placement === undefined) throw new Error('there is no placement');
    return placement;
  }

  /** What `dray explain` says of it now. */
  async explain(): Promise<string> {
    return explainMove(await this.move()).sentence;
  }

  /**
   * Delivers work in order of time, one message after the other, until `until` holds: by default until the
   * endpoint is moved and only its retained copy is left, or the move has ended otherwise.
   */
  async deliver(until: (move: Move) => boolean = isSettledMove): Promise<void> {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const move = await this.move();
      if (until(move)) return;
      const { sent } = this.bus;
      sent.sort((one, other) => one.at - other.at);
      const next = sent.shift();
      if (next === undefined) throw new Error(`nothing is left to deliver: ${await this.explain()}`);
      await this.clock.reach(next.at);
      try {
        await this.#invoke(next.text);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        // Nobody has taken it off its queue: it comes again.
        sent.push({ ...next, at: this.clock.now() + redeliveryMs });
      }
    }
    throw new Error(`it did not end: ${await this.explain()}`);
  }

  async #invoke(text: string): Promise<void> {
    const { clock, services } = this;
    this.life = new WorkerLife();
    const { life } = this;
    this.#workers += 1;
    const until = clock.now() + this.lifeMs;
    const stops = new Set<() => void>();
    const working = workOnMove(
      {
        ...services,
        store: life.lend(unanswering(services.store, () => this.#isUnanswered())),
        permits: life.lend(services.permits),
        blobs: life.lend(services.blobs),
        bus: life.lend(services.bus),
        secrets: life.lend(services.secrets),
        clock: {
          now: () => clock.now(),
          sleep: (ms, signal) => clock.sleep(ms, signal),
          every: (ms, tick) => {
            const stop = clock.every(ms, tick);
            stops.add(stop);
            return stop;
          },
        },
        driver: () =>
          Promise.resolve(
            notedDriver(life.lendDriver(postgresDriver), (call, go) =>
              life.answer(async () => {
                await this.#strikes.onCall(call);
                return go();
              }),
            ),
          ),
      },
      workMessage.parse(JSON.parse(text)),
      { owner: `worker-${String(this.#workers)}`, remainingMs: () => until - clock.now() },
    );
    const late = setTimeout(() => {
      this.killed += 1;
      life.end('connections-closed');
    }, this.lifeMs + marginMs);
    try {
      await Promise.race([working, life.ended]);
    } finally {
      clearTimeout(late);
      for (const stop of stops) stop();
    }
  }

  #isUnanswered(): boolean {
    if (this.tableAway) this.unanswered += 1;
    return this.tableAway;
  }

  /** By which the mover reaches the hosts. */
  #ports(): { readonly source: number; readonly target: number } {
    const { source, target } = this.hosts;
    return { source: source.address.port, target: target.address.port, ...this.#options.ports };
  }

  #serverOf(host: string): PostgresServer {
    return host === this.hosts.target.name ? this.hosts.target : this.hosts.source;
  }
}

function isSettledMove({ execution: { status } }: Move): boolean {
  return (
    isTerminal(status.state) ||
    (status.state === 'running' && status.step === 'retire' && status.lease === undefined)
  );
}
