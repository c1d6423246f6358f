import { codecs } from '../shared/aws/layout.ts';
import type { FoundRows, RowsQuery } from '../shared/aws/rows-query.ts';
import { createViews } from '../shared/aws/views.ts';
import { endpointsOnHost } from '../shared/contracts/rows/endpoint.ts';
import type { Attribute, Row, RowKey } from '../shared/contracts/rows/row.ts';
import { batchIdFrom, type HostName, type MoveId } from '../shared/domain/ids.ts';
import type { Seat, Snapshot } from '../shared/domain/planning/snapshot.ts';
import type { Permits } from '../shared/ports/store.ts';
import { untraced } from '../shared/ports/tracer.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { machineClock } from '../shared/runtime/clock.ts';
import { planBatch, type PlanServices } from '../shared/workflow/planning/plan-batch.ts';
import { MemoryBlobs } from '../tests/support/memory-blobs.ts';
import { MemoryBus } from '../tests/support/memory-bus.ts';
import { createMemoryPermits } from '../tests/support/memory-permits.ts';
import { createMemoryStore } from '../tests/support/memory-store.ts';
import { MemoryTable } from '../tests/support/memory-table.ts';
import { batchOf, hostOf } from '../tests/support/sample-batch.ts';

/**
 * The whole planner over ports in memory: reads the fleet, makes the plan, stores it, and makes a move of every
 * endpoint, page by page, in invocations of which each ends after some pages.
 */
export async function planInPages(fleet: Snapshot) {
  const table = new FleetTable(fleet);
  const store = createMemoryStore(table, { chance: machineChance });
  const blobs = new MemoryBlobs();
  const bus = new MemoryBus(machineClock);
  for (const { name, driver, zone, capacityBytes, closed } of fleet.hosts) {
    const intent = {
      value: closed === undefined ? 'active' : 'cordoned',
      sequence: 1,
      reason: 'bench',
    } as const;
    const size = capacityBytes === undefined ? {} : { capacityBytes };
    await store.insert('host', hostOf(name, { driver, zone, intent, ...size }));
  }
  const id = batchIdFrom(machineChance.digest('bench'));
  const selection = await blobs.put({ kind: 'where', where: { size: { atLeast: 0 } } });
  await store.insert('batch', batchOf({ id, selection, state: 'planning' }));
  const services: PlanServices = {
    store,
    blobs,
    bus,
    permits: table.permits,
    views: createViews({ query: table.query, clock: machineClock }),
    clock: machineClock,
    chance: machineChance,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    tracer: untraced,
  };
  for (;;) {
    bus.sent.length = 0;
    let pages = 0;
    await planBatch(services, { batch: id }, { remainingMs: () => pagesOfInvocation - (pages += 1) });
    const batch = await store.load('batch', { id });
    if (batch?.state === 'running')
      return { moves: table.moves - table.stayed, unplaced: table.stayed, imbalance: '' };
  }
}

/** Of 25 moves each, what two minutes are good for on AWS: a fleet of a hundred thousand takes two invocations. */
const pagesOfInvocation = 2_200;

/**
 * A table in memory that is small: what is measured is the planner's memory. Rows of endpoints are made when they are
 * read, of a claim only the claim is kept, and moves are counted and forgotten. Space that is set aside is put to a
 * host's row where it lies, as a database does it, and not by making the whole row anew.
 */
class FleetTable extends MemoryTable {
  moves = 0;
  stayed = 0;
  readonly permits: Permits;
  readonly #reserved = new Map<string, Map<MoveId, number>>();
  readonly #seats: ReadonlyMap<string, Seat>;
  readonly #onHosts: ReadonlyMap<string, readonly Seat[]>;
  readonly #claims = new Map<string, Pick<Row, 'claim' | 'claims' | 'version'>>();

  constructor({ seats }: Snapshot) {
    super();
    this.#seats = new Map(seats.map((seat) => [`ENDPOINT#${seat.endpoint}`, seat]));
    this.#onHosts = Map.groupBy(seats, ({ host }) => endpointsOnHost(host));
    this.permits = {
      ...createMemoryPermits(this),
      reserve: async (host, move, bytes) => {
        await Promise.resolve();
        this.#reservedOn(host).set(move, bytes);
      },
      unreserve: async (host, move) => {
        await Promise.resolve();
        this.#reservedOn(host).delete(move);
      },
    };
    const inner = this.query;
    this.query = async (query) => this.#endpointsIn(query) ?? (await inner(query));
  }

  override async read(key: RowKey): Promise<Row | undefined> {
    await Promise.resolve();
    const endpoint = this.#endpointRow(key);
    if (endpoint !== undefined) return endpoint;
    const row = await super.read(key);
    const reserved = this.#reserved.get(key.pk);
    return row === undefined || reserved === undefined
      ? row
      : { ...row, reserved: Object.fromEntries(reserved) };
  }

  #reservedOn(name: HostName): Map<MoveId, number> {
    const { pk } = codecs.host.key({ name });
    const reserved = this.#reserved.get(pk) ?? new Map<MoveId, number>();
    this.#reserved.set(pk, reserved);
    return reserved;
  }

  override async write(
    key: RowKey,
    next: (row: Row | undefined) => Row | 'gone' | 'refused',
  ): Promise<'done' | 'refused'> {
    const isMove = key.pk.startsWith('MOVE#');
    const before = this.#endpointRow(key);
    if (!isMove && before === undefined) return super.write(key, next);
    await Promise.resolve();
    const made = next(before);
    if (typeof made === 'string') return 'refused';
    if (isMove) {
      this.moves += 1;
      const label = made['labelAndEndpoint'];
      if (typeof label === 'string' && label.startsWith('rolled-back')) this.stayed += 1;
    } else {
      const { claim, claims, version } = made;
      this.#claims.set(key.pk, { claim, claims, version });
    }
    return 'done';
  }

  #endpointRow({ pk }: RowKey): Row | undefined {
    const seat = this.#seats.get(pk);
    if (seat === undefined) return undefined;
    const { endpoint, driver, host, bytes, labels, group, zones, pin } = seat;
    const row: Record<string, Attribute | undefined> = {
      kind: 'endpoint',
      listing: '',
      onHost: '',
      shard: '',
      endpoint,
      driver,
      host,
      database: endpoint,
      epoch: 1,
      arbitration: { kind: 'serving' },
      announcedEpoch: 1,
      sizeBytes: bytes,
      labels,
      registeredAt: 0,
      claims: 0,
      version: 1,
    };
    if (group !== undefined) row['group'] = { ...group };
    if (zones !== undefined) row['zones'] = zones;
    if (pin !== undefined) row['pin'] = pin;
    return Object.assign(row, this.#claims.get(pk), codecs.endpoint.key(seat));
  }

  #endpointsIn({ index, hash }: RowsQuery): FoundRows | undefined {
    if (index !== 'byHost') return undefined;
    const found = this.#onHosts.get(hash) ?? [];
    return { rows: found.map(({ endpoint }) => ({ pk: `ENDPOINT#${endpoint}`, sk: 'ENDPOINT' })) };
  }
}
