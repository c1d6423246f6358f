import type { Host } from '../../domain/host.ts';
import type { EndpointName, HostName, MoveId } from '../../domain/ids.ts';
import { isSettled, labelOf } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import { planHostOf, seatOf, type Seat, type Snapshot } from '../../domain/planning/snapshot.ts';
import { loadReadable } from '../each-apart.ts';
import { everyHost } from '../every-host.ts';
import { everyPage } from '../every-page.ts';
import type { Services } from '../services.ts';

type FleetServices = Pick<Services, 'store' | 'views'> & Partial<Pick<Services, 'log'>>;

/** A host, with what is stored on it now. */
export interface Occupied {
  readonly host: Host;
  readonly bytes: number;
  readonly endpoints: number;
}

/** Every host, with what is stored on it now. */
export async function loadFleet(services: FleetServices): Promise<Occupied[]> {
  const known = await everyHost(services);
  return inLanes(known, async (host) => ({ host, ...(await storedOn(services, host.name)) }));
}

/** What is placed on a host, in bytes and in number, as the index has it. */
export async function storedOn(
  services: Pick<FleetServices, 'views'>,
  host: HostName,
): Promise<{ readonly bytes: number; readonly endpoints: number }> {
  const sizes = await everyPage((cursor) => services.views.sizesOn(host, cursor));
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), endpoints: sizes.length };
}

/** The fleet as a plan is made from it. */
export interface LoadedFleet extends Snapshot {
  /** Endpoints whose rows cannot be read, by where the index has them. */
  readonly unreadable: ReadonlyMap<EndpointName, HostName>;
}

/**
 * Every host and every endpoint, and where those go that are being moved.
 *
 * @param named endpoints that are looked for also where no host has them
 * @param ours moves that are counted elsewhere: as if they were not there
 */
export async function loadSnapshot(
  services: FleetServices,
  named: readonly EndpointName[] = [],
  ours: ReadonlySet<MoveId> = new Set(),
): Promise<LoadedFleet> {
  const hosts = await everyHost(services);
  const seats = new Map<EndpointName, Seat>();
  const unreadable = new Map<EndpointName, HostName>();
  const add = (placement: Placement): void => {
    // The index lags behind: it may have an endpoint on two hosts, and the row says where it is.
    const seat = seatOf(placement);
    const { moving, ...free } = seat;
    seats.set(placement.endpoint, moving !== undefined && ours.has(moving.move) ? free : seat);
  };
  await inLanes(hosts, async ({ name }) => {
    for await (const found of placedOn(services, name)) {
      if (typeof found === 'string') unreadable.set(found, name);
      else add(found);
    }
  });
  const missing = named.filter((endpoint) => !seats.has(endpoint) && !unreadable.has(endpoint));
  const others = await loadReadable(
    services,
    'endpoint',
    missing.map((endpoint) => ({ endpoint })),
  );
  for (const placement of others) if (placement !== undefined && placement !== 'unreadable') add(placement);
  await tellTargets(services, seats);
  return { hosts: hosts.map((host) => planHostOf(host, ours)), seats: [...seats.values()], unreadable };
}

/** Writes down where endpoints go that are being moved. */
async function tellTargets(services: FleetServices, seats: Map<EndpointName, Seat>): Promise<void> {
  const moving = [...seats.values()].flatMap((seat) =>
    seat.moving === undefined ? [] : [{ seat, id: seat.moving.move }],
  );
  const moves = await loadReadable(
    services,
    'move',
    moving.map(({ id }) => ({ id })),
  );
  for (const [index, { seat, id }] of moving.entries()) {
    const move = moves[index];
    if (move === undefined || move === 'unreadable' || isSettled(labelOf(move.execution))) continue;
    seats.set(seat.endpoint, { ...seat, moving: { move: id, target: move.target } });
  }
}

/** What the index has on a host: its row, or its name where that cannot be read. */
async function* placedOn(services: FleetServices, host: HostName): AsyncGenerator<Placement | EndpointName> {
  let cursor: string | undefined;
  do {
    const page = await services.views.endpointsOn(host, cursor);
    const placements = await loadReadable(
      services,
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const [index, placement] of placements.entries()) {
      const name = page.items[index];
      if (placement !== undefined && placement !== 'unreadable') yield placement;
      else if (placement === 'unreadable' && name !== undefined) yield name;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Hosts whose endpoints are read side by side: more would only fill the memory. */
const lanes = 16;

async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
