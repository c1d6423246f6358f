import type { Ground, Site } from './ground.ts';
import type { Closure, Seat } from './snapshot.ts';

/** The hard rules, each by what it says of a host that it stops. */
export type Rule =
  | Closure
  /** Of another engine of data. */
  | 'engine'
  /** Not the host to which the endpoint is pinned. */
  | 'pin'
  /** Of an older major version. */
  | 'version'
  /** In none of the zones in which the endpoint may be. */
  | 'zones'
  /** Holds another of its group, … */
  | 'group'
  /** … or stands in a zone that does, where the group spreads over zones. */
  | 'group-zone'
  /** Has too little room, with a share of its capacity kept free. */
  | 'room'
  /** Would be filled up to what another host is to be brought under. */
  | 'share';

/** How a request asks for endpoints. */
export interface Terms {
  /** They were named themselves, which lifts their pins. */
  readonly isNamed: boolean;
  /** No host is to be filled up to this share of its capacity. */
  readonly under?: number;
}

/** An endpoint that is to go somewhere. */
export interface Traveller {
  readonly seat: Seat;
  readonly from: Site | undefined;
  /** Its pin holds: it was not named itself, and where it is has not failed. */
  readonly isPinned: boolean;
  readonly under: number | undefined;
}

export function travellerOf(ground: Ground, seat: Seat, { isNamed, under }: Terms): Traveller {
  const from = ground.site(seat.host);
  const isPinned = seat.pin !== undefined && !isNamed && from?.host.hasFailed !== true;
  return { seat, from, isPinned, under };
}

/** Which rule stops a host from taking an endpoint, if any: the first, where several do. */
export function obstacle(ground: Ground, traveller: Traveller, site: Site): Rule | undefined {
  const { seat, from, isPinned, under } = traveller;
  const { host } = site;
  if (host.driver !== seat.driver) return 'engine';
  if (isPinned && seat.pin !== host.name) return 'pin';
  if (host.closed !== undefined) return host.closed;
  // Data goes from a major version to the same or a newer one.
  if (from?.host.major !== undefined && host.major !== undefined && host.major < from.host.major)
    return 'version';
  if (seat.zones !== undefined && !seat.zones.includes(host.zone)) return 'zones';
  if (seat.group !== undefined) {
    if (ground.othersOnHost(seat, host.name) > 0) return 'group';
    if (ground.isZonal(seat) && ground.othersInZone(seat, host.zone) > 0) return 'group-zone';
  }
  const after = site.occupied + seat.bytes;
  if (site.limit <= 0 || after > site.limit) return 'room';
  const isFull =
    under !== undefined && host.capacityBytes !== undefined && after >= under * host.capacityBytes;
  return isFull ? 'share' : undefined;
}
