import { failedSince } from './health.ts';
import type { Host, PermitSide } from './host.ts';
import { permitsOf } from './host.ts';
import type { BatchId, HostName, MoveId } from './ids.ts';

/** What admission has to know of a move. */
export interface Mover {
  readonly id: MoveId;
  readonly batch: BatchId;
  readonly source: HostName;
  readonly target: HostName;
}

/** How many moves may be under way at once, beside what each host allows. */
export interface Limits {
  readonly inAll: number;
  readonly inZone: (zone: string) => number;
  readonly ofBatch: number;
}

/** Something that has no room for a move. */
export type Full =
  | { readonly kind: 'host'; readonly host: HostName; readonly side: PermitSide }
  | { readonly kind: 'zone'; readonly zone: string }
  | { readonly kind: 'batch'; readonly batch: BatchId }
  | { readonly kind: 'all' };

/** What is full, with those who take up its room. */
export interface Shortage {
  readonly full: Full;
  readonly held: ReadonlySet<MoveId>;
  readonly limit: number;
}

interface Room {
  readonly full: Full;
  readonly limit: number;
  readonly held: Set<MoveId>;
}

/**
 * Who is under way where, as one look of the dispatcher sees it and uses it up. All of it follows from the permits
 * on the rows of hosts, and from what the last looks have given out and is not on those rows yet.
 */
export class Rooms {
  readonly #limits: Limits;
  readonly #hosts = new Map<HostName, { readonly zone: string; readonly out: Room; readonly in: Room }>();
  readonly #zones = new Map<string, Room>();
  readonly #batches = new Map<BatchId, Room>();
  readonly #all: Room;

  constructor(hosts: readonly Host[], limits: Limits) {
    this.#limits = limits;
    this.#all = { full: { kind: 'all' }, limit: limits.inAll, held: new Set() };
    for (const host of hosts) {
      const side = (of: PermitSide, held: readonly MoveId[]): Room => ({
        full: { kind: 'host', host: host.name, side: of },
        limit: permitsOf(host, of),
        held: new Set(held),
      });
      this.#hosts.set(host.name, {
        zone: host.zone,
        out: side('out', host.permitsOut),
        // Nothing begins onto a host that has failed, also what holds a permit there: it waits until that is well
        // again, or is turned away from it.
        in: failedSince(host) === undefined ? side('in', host.permitsIn) : { ...side('in', []), limit: 0 },
      });
      for (const id of [...host.permitsOut, ...host.permitsIn]) {
        this.#all.held.add(id);
        this.#zone(host.zone).held.add(id);
      }
    }
  }

  /** Every move that holds a permit anywhere. */
  get underWay(): ReadonlySet<MoveId> {
    return this.#all.held;
  }

  /** How many of a batch are under way, as far as `belongs` and `take` have said so. */
  ofBatch(batch: BatchId): number {
    return this.#batches.get(batch)?.held.size ?? 0;
  }

  /** Says whose a move is that is under way. */
  belongs(id: MoveId, batch: BatchId): void {
    if (this.#all.held.has(id)) this.#batch(batch).held.add(id);
  }

  /** Has its source any room at all? */
  mayLeave({ id, source }: Mover): boolean {
    const out = this.#hosts.get(source)?.out;
    return out !== undefined && hasRoom(out, id);
  }

  zoneOf(host: HostName): string | undefined {
    return this.#hosts.get(host)?.zone;
  }

  /** How many moves it may give permits to at once on one side. */
  limitOf(host: HostName, side: PermitSide): number {
    return this.#hosts.get(host)?.[side].limit ?? 0;
  }

  fits(mover: Mover): boolean {
    return this.#roomsOf(mover)?.every((room) => hasRoom(room, mover.id)) ?? false;
  }

  /** What has no room for a move; undefined when one of its hosts is not known at all. */
  shortagesOf(mover: Mover): readonly Shortage[] | undefined {
    return this.#roomsOf(mover)?.filter((room) => !hasRoom(room, mover.id));
  }

  take(mover: Mover): void {
    for (const room of this.#roomsOf(mover) ?? []) room.held.add(mover.id);
  }

  giveBack(mover: Mover): void {
    for (const room of this.#roomsOf(mover) ?? []) room.held.delete(mover.id);
  }

  #roomsOf({ source, target, batch }: Mover): readonly Room[] | undefined {
    const leaves = this.#hosts.get(source);
    const enters = this.#hosts.get(target);
    if (leaves === undefined || enters === undefined) return undefined;
    const zones = new Set([leaves.zone, enters.zone]);
    return [
      leaves.out,
      enters.in,
      ...[...zones].map((zone) => this.#zone(zone)),
      this.#batch(batch),
      this.#all,
    ];
  }

  #zone(zone: string): Room {
    const known = this.#zones.get(zone) ?? {
      full: { kind: 'zone', zone },
      limit: this.#limits.inZone(zone),
      held: new Set(),
    };
    this.#zones.set(zone, known);
    return known;
  }

  #batch(batch: BatchId): Room {
    const known = this.#batches.get(batch) ?? {
      full: { kind: 'batch', batch },
      limit: this.#limits.ofBatch,
      held: new Set(),
    };
    this.#batches.set(batch, known);
    return known;
  }
}

const hasRoom = ({ limit, held }: Room, move: MoveId): boolean => held.has(move) || held.size < limit;
