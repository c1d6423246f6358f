import type { EndpointName, HostName } from '../ids.ts';
import { limitOf, type PlanHost, type Seat, type Snapshot } from './snapshot.ts';

/** The hosts of one engine in one zone where something may arrive, taken together. */
export interface Zone {
  readonly size: number;
  load: number;
}

/** A host while a plan is made, with what the plan has added and taken so far. */
export interface Site {
  host: PlanHost;
  /** Bytes that it may hold in all. */
  limit: number;
  /** How large it counts where hosts are compared: its capacity, or that of an average one. */
  readonly size: number;
  /**
   * Stored, set aside, and added by the plan. What leaves still counts: no move needs the room that another one
   * makes, so that they may be made in any order, and some of them not at all.
   */
  occupied: number;
  /** Undefined where nothing may arrive. */
  readonly zone: Zone | undefined;
  /** Bytes and endpoints when all that is under way and planned has come to pass. */
  load: number;
  count: number;
}

/** The members of an anti-affinity group that are, or are to be, in one place. */
type Members = Map<EndpointName, number>;

/** The fleet while a plan is made. The same snapshot, in whatever order, makes the same ground. */
export class Ground {
  /** By name. */
  readonly sites: readonly Site[];
  readonly seats: readonly Seat[];
  /** Sites where something may arrive, by engine of data. */
  readonly #open: ReadonlyMap<string, readonly Site[]>;
  readonly #byName: ReadonlyMap<HostName, Site>;
  /** Groups of which any member asks to be spread over zones. */
  readonly #zonal: ReadonlySet<string>;
  readonly #onHosts = new Map<string, Map<HostName, Members>>();
  readonly #inZones = new Map<string, Map<string, Members>>();

  constructor({ hosts, seats }: Snapshot) {
    this.sites = sitesOf(hosts.toSorted(byHostName));
    this.seats = seats.toSorted(byEndpointName);
    this.#byName = new Map(this.sites.map((site) => [site.host.name, site]));
    this.#open = Map.groupBy(
      this.sites.filter(({ host }) => host.closed === undefined),
      ({ host }) => host.driver,
    );
    this.#zonal = new Set(this.seats.flatMap(({ group }) => (group?.spread === 'zones' ? [group.name] : [])));
    for (const seat of this.seats) this.#sit(seat);
  }

  site(name: HostName): Site | undefined {
    return this.#byName.get(name);
  }

  openSites(driver: string): readonly Site[] {
    return this.#open.get(driver) ?? [];
  }

  /** The plan takes an endpoint to a host. */
  settle(seat: Seat, to: Site): void {
    const from = this.#byName.get(seat.host);
    to.occupied += seat.bytes;
    arrive(to, seat);
    if (from !== undefined) leave(from, seat);
    this.#join(seat, to.host, 1);
  }

  /** The plan takes it there after all not. */
  unsettle(seat: Seat, to: Site): void {
    const from = this.#byName.get(seat.host);
    to.occupied -= seat.bytes;
    leave(to, seat);
    if (from !== undefined) arrive(from, seat);
    this.#join(seat, to.host, -1);
  }

  /** A host as it is now. What was set aside there and is not any more may have arrived: it counts on. */
  refresh(host: PlanHost): void {
    const site = this.#byName.get(host.name);
    if (site === undefined) return;
    site.occupied += Math.max(0, host.reservedBytes - site.host.reservedBytes);
    site.limit = limitOf(host);
    site.host = { ...host, reservedBytes: Math.max(host.reservedBytes, site.host.reservedBytes) };
  }

  /** How many others of its group are, or are to be, on a host. */
  othersOnHost(seat: Seat, host: HostName): number {
    return seat.group === undefined ? 0 : others(this.#onHosts.get(seat.group.name)?.get(host), seat);
  }

  /** Is its group spread over zones? So it is when any of its members says so. */
  isZonal({ group }: Seat): boolean {
    return group !== undefined && (group.spread === 'zones' || this.#zonal.has(group.name));
  }

  othersInZone(seat: Seat, zone: string): number {
    return seat.group === undefined ? 0 : others(this.#inZones.get(seat.group.name)?.get(zone), seat);
  }

  #sit(seat: Seat): void {
    const at = this.#byName.get(seat.host);
    if (at === undefined) return;
    at.occupied += seat.bytes;
    arrive(at, seat);
    this.#join(seat, at.host, 1);
    const target = seat.moving === undefined ? undefined : this.#byName.get(seat.moving.target);
    if (target === undefined || target === at) return;
    // Its room is among what is set aside there.
    target.count += 1;
    leave(at, seat);
    this.#join(seat, target.host, 1);
  }

  #join({ group, endpoint }: Seat, host: PlanHost, by: 1 | -1): void {
    if (group === undefined) return;
    note(this.#onHosts, group.name, host.name, endpoint, by);
    note(this.#inZones, group.name, host.zone, endpoint, by);
  }
}

const arrive = (site: Site, { bytes }: Seat): void => {
  site.load += bytes;
  site.count += 1;
  if (site.zone !== undefined) site.zone.load += bytes;
};
const leave = (site: Site, { bytes }: Seat): void => {
  site.load -= bytes;
  site.count -= 1;
  if (site.zone !== undefined) site.zone.load -= bytes;
};

function note<Place extends string>(
  groups: Map<string, Map<Place, Members>>,
  group: string,
  place: Place,
  endpoint: EndpointName,
  by: 1 | -1,
): void {
  const places = groups.get(group) ?? new Map<Place, Members>();
  const members: Members = places.get(place) ?? new Map<EndpointName, number>();
  const times = (members.get(endpoint) ?? 0) + by;
  if (times > 0) members.set(endpoint, times);
  else members.delete(endpoint);
  groups.set(group, places.set(place, members));
}

const others = (members: Members | undefined, { endpoint }: Seat): number =>
  members === undefined ? 0 : members.size - (members.has(endpoint) ? 1 : 0);

/** Whoever has not said how much it holds counts as an average one of its engine. */
function sitesOf(hosts: readonly PlanHost[]): Site[] {
  const averages = new Map(
    [...Map.groupBy(hosts, ({ driver }) => driver)].map(([driver, alike]) => {
      const known = alike.flatMap(({ capacityBytes = 0 }) => (capacityBytes > 0 ? [capacityBytes] : []));
      return [
        driver,
        Math.max(
          1,
          known.reduce((sum, bytes) => sum + bytes / known.length, 0),
        ),
      ];
    }),
  );
  const sizeOf = ({ driver, capacityBytes = 0 }: PlanHost): number =>
    capacityBytes > 0 ? capacityBytes : (averages.get(driver) ?? 1);
  const zones = new Map(
    [...Map.groupBy(hosts, zoneKey)].map(([key, inIt]) => {
      const open = inIt.filter(({ closed }) => closed === undefined);
      const zone: Zone = {
        size: open.reduce((sum, host) => sum + sizeOf(host), 0),
        load: open.reduce((sum, { reservedBytes }) => sum + reservedBytes, 0),
      };
      return [key, zone];
    }),
  );
  return hosts.map((host) => ({
    host,
    limit: limitOf(host),
    size: sizeOf(host),
    zone: host.closed === undefined ? zones.get(zoneKey(host)) : undefined,
    occupied: host.reservedBytes,
    load: host.reservedBytes,
    count: 0,
  }));
}

const zoneKey = ({ driver, zone }: PlanHost): string => `${driver} ${zone}`;
const byHostName = (one: PlanHost, other: PlanHost): number => (one.name < other.name ? -1 : 1);
const byEndpointName = (one: Seat, other: Seat): number => (one.endpoint < other.endpoint ? -1 : 1);
