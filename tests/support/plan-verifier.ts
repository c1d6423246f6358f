import type { Selection } from '../../shared/domain/batch.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import type { Plan, PlannedMove } from '../../shared/domain/planning/plan.ts';
import type { PlanHost, Seat, Snapshot } from '../../shared/domain/planning/snapshot.ts';

/**
 * Looks a plan over, by the words of the rules and nothing else: it shares no code with the planner, counts everything
 * anew for each question, and is as slow as that.
 */
export class PlanVerifier {
  readonly #hosts: ReadonlyMap<string, PlanHost>;
  readonly #seats: readonly Seat[];
  readonly #selection: Selection;
  readonly #plan: Plan;

  constructor({ hosts, seats }: Snapshot, selection: Selection, plan: Plan) {
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
    this.#seats = seats;
    this.#selection = selection;
    this.#plan = plan;
  }

  /** What is wrong with the plan, a line each. */
  faults(): readonly string[] {
    return [
      ...this.#faultsOfContents(),
      ...this.#plan.moves.flatMap((move) => {
        const why = this.#objection(move.seat, move.target, this.#othersThan(move));
        return why === undefined ? [] : [`${move.seat.endpoint} may not go to ${move.target}: ${why}`];
      }),
      ...this.#faultsOfUnplaced(),
      ...this.#faultsOfRelief(),
      ...this.#faultsOfPrefixes(),
    ];
  }

  /** Each endpoint that is meant has one answer, and nothing else has any. */
  #faultsOfContents(): string[] {
    const { moves, unplaced, unknown } = this.#plan;
    const answered = [...moves, ...unplaced].map(({ seat }) => seat.endpoint);
    const meant = this.#seats.filter((seat) => this.#isMeant(seat)).map(({ endpoint }) => endpoint);
    const twice = answered.filter((name, at) => answered.indexOf(name) !== at);
    const strangers = answered.filter((name) => !meant.includes(name));
    const isPart = this.#selection.kind === 'rebalance' || this.#selection.kind === 'relieve';
    const forgotten = isPart ? [] : meant.filter((name) => !answered.includes(name));
    const claimed = moves.filter(({ seat }) => seat.moving !== undefined).map(({ seat }) => seat.endpoint);
    const named =
      this.#selection.kind === 'pairs' ? this.#selection.pairs.map(({ endpoint }) => endpoint) : [];
    const absent = named.filter((name) => this.#seats.every(({ endpoint }) => endpoint !== name));
    return [
      ...twice.map((name) => `${name} is answered twice`),
      ...strangers.map((name) => `nobody has asked for ${name}`),
      ...forgotten.map((name) => `${name} has no answer`),
      ...claimed.map((name) => `${name} is being moved already`),
      ...(JSON.stringify(absent) === JSON.stringify(unknown) ? [] : ['the unknown are others']),
    ];
  }

  #isMeant({ endpoint, host, bytes, labels }: Seat): boolean {
    const selection = this.#selection;
    switch (selection.kind) {
      case 'endpoints':
        return selection.endpoints.includes(endpoint);
      case 'pairs':
        return selection.pairs.some((pair) => pair.endpoint === endpoint);
      case 'host':
      case 'relieve':
        return host === selection.host;
      case 'labels':
        return Object.keys(selection.labels).every((key) => labels[key] === selection.labels[key]);
      case 'where': {
        const { where } = selection;
        if (where.host !== undefined && where.host !== host) return false;
        if (where.tenant !== undefined && where.tenant !== labels['tenant']) return false;
        if (where.size?.atLeast !== undefined && bytes < where.size.atLeast) return false;
        if (where.size?.atMost !== undefined && bytes > where.size.atMost) return false;
        return Object.entries(where.labels ?? {}).every(([key, value]) => labels[key] === value);
      }
      case 'rebalance':
        return true;
      default:
        return selection satisfies never;
    }
  }

  /** Any of the other moves may have been made, or not: so all of them count, and nothing that leaves is gone. */
  #othersThan(move: PlannedMove): readonly PlannedMove[] {
    return this.#plan.moves.filter((other) => other !== move);
  }

  /** Which hard rule keeps an endpoint from a host, when these moves are made or about to be? */
  #objection(seat: Seat, target: HostName, others: readonly PlannedMove[]): string | undefined {
    const host = this.#hosts.get(target);
    const source = this.#hosts.get(seat.host);
    if (host === undefined) return 'there is no such host';
    if (target === seat.host) return 'it is there';
    if (host.driver !== seat.driver) return 'it is another engine';
    if (host.closed !== undefined) return `it is ${host.closed}`;
    if (source?.major !== undefined && host.major !== undefined && host.major < source.major)
      return 'it is older';
    if (seat.zones !== undefined && !seat.zones.includes(host.zone)) return 'it is outside of its zones';
    const isNamed = this.#selection.kind === 'pairs' || this.#selection.kind === 'endpoints';
    if (seat.pin !== undefined && seat.pin !== target && !isNamed && source?.hasFailed !== true)
      return 'it is pinned';
    const mates = this.#placesOfMates(seat, others);
    if (mates.includes(target)) return 'another of its group is there';
    const zones = mates.map((name) => this.#hosts.get(name)?.zone);
    if (this.#isZonal(seat) && zones.includes(host.zone)) return 'another of its group is in the zone';
    if (host.capacityBytes === undefined) return undefined;
    const used = this.#usedOn(host, others) + seat.bytes;
    const free = host.capacityBytes - used;
    if (host.capacityBytes === 0 || free < host.capacityBytes * 0.1 - 1e-6)
      return 'less than a tenth would be free';
    if (this.#selection.kind === 'relieve' && used >= this.#selection.under * host.capacityBytes)
      return 'it would be as full as what is to be relieved';
    return undefined;
  }

  /** One that wants no other of its group in its zone speaks for the whole group. */
  #isZonal({ group }: Seat): boolean {
    return this.#seats.some((seat) => seat.group?.name === group?.name && seat.group?.spread === 'zones');
  }

  /** Wherever the others of its group are, or may come to be. */
  #placesOfMates({ group, endpoint }: Seat, others: readonly PlannedMove[]): readonly string[] {
    if (group === undefined) return [];
    const isMate = (seat: Seat): boolean => seat.group?.name === group.name && seat.endpoint !== endpoint;
    return [
      ...this.#seats.filter(isMate).flatMap(({ host, moving }) => [host, moving?.target ?? host]),
      ...others.filter(({ seat }) => isMate(seat)).map(({ target }) => target),
    ];
  }

  #usedOn({ name, reservedBytes }: PlanHost, moves: readonly PlannedMove[]): number {
    const stored = this.#seats.filter(({ host }) => host === name).map(({ bytes }) => bytes);
    const coming = moves.filter(({ target }) => target === name).map(({ seat }) => seat.bytes);
    return reservedBytes + total(stored) + total(coming);
  }

  /** What has no place really has none; and what is said of it is so. */
  #faultsOfUnplaced(): string[] {
    return this.#plan.unplaced.flatMap(({ seat, failure, stops }) => {
      const { endpoint } = seat;
      if (failure.sentence === '' || failure.cure === '') return [`${endpoint} stays without a reason`];
      if (failure.code !== 'no-target') {
        const isSo =
          (failure.code === 'endpoint-moving' && seat.moving !== undefined) ||
          (failure.code === 'endpoint-pinned' && seat.pin === seat.host) ||
          (failure.code === 'source-is-target' && this.#wantedOf(seat) === seat.host);
        return isSo ? [] : [`${endpoint} stays for a reason that is none: ${failure.code}`];
      }
      const wanted = this.#wantedOf(seat);
      const asked = [...this.#hosts.keys()].filter((name) => name !== seat.host && (wanted ?? name) === name);
      const open = asked.filter(
        (name) => this.#objection(seat, this.#nameOf(name), this.#plan.moves) === undefined,
      );
      const counted = total(stops.map(({ hosts }) => hosts));
      return [
        ...open.map((name) => `${endpoint} could go to ${name}`),
        ...(counted === asked.length
          ? []
          : [`of ${endpoint} ${String(counted)} of ${String(asked.length)} hosts are told`]),
      ];
    });
  }

  #nameOf(name: string): HostName {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host.name;
  }

  #wantedOf({ endpoint }: Seat): HostName | undefined {
    const selection = this.#selection;
    if (selection.kind === 'pairs') return selection.pairs.find((pair) => pair.endpoint === endpoint)?.target;
    return 'target' in selection ? selection.target : undefined;
  }

  /** A host that was to be relieved is, or it is said that it is not. */
  #faultsOfRelief(): string[] {
    const selection = this.#selection;
    if (selection.kind !== 'relieve') return [];
    const host = this.#hosts.get(selection.host);
    const left = host === undefined ? Infinity : this.#loadOf(host, this.#plan.moves);
    const isUnder = host?.capacityBytes !== undefined && left < selection.under * host.capacityBytes;
    if (isUnder === (this.#plan.unmet === undefined)) return [];
    return [`${selection.host} is ${isUnder ? '' : 'not '}relieved, and that is not said`];
  }

  /** Rebalancing makes the fleet more even with each move. */
  #faultsOfPrefixes(): string[] {
    if (this.#selection.kind !== 'rebalance') return [];
    const { moves } = this.#plan;
    return moves.flatMap((move, at) => {
      const before = this.imbalance(moves.slice(0, at), move.seat.driver);
      const after = this.imbalance(moves.slice(0, at + 1), move.seat.driver);
      return after < before + 1e-12
        ? []
        : [`${move.seat.endpoint} makes the fleet less even: ${String(before)} → ${String(after)}`];
    });
  }

  /** Bytes on a host when these moves, and those under way, are over. */
  #loadOf({ name, reservedBytes }: PlanHost, moves: readonly PlannedMove[]): number {
    const stay = this.#seats.filter(
      (seat) => seat.host === name && !moves.some((move) => move.seat === seat) && !this.#isLeaving(seat),
    );
    const come = moves.filter(({ target }) => target === name);
    return reservedBytes + total(stay.map(({ bytes }) => bytes)) + total(come.map(({ seat }) => seat.bytes));
  }

  #isLeaving({ host, moving }: Seat): boolean {
    return moving !== undefined && moving.target !== host && this.#hosts.has(moving.target);
  }

  #countOn({ name }: PlanHost, moves: readonly PlannedMove[]): number {
    return this.#seats.filter((seat) => {
      const planned = moves.find((move) => move.seat === seat)?.target;
      const going = this.#isLeaving(seat) ? seat.moving?.target : undefined;
      return (planned ?? going ?? seat.host) === name;
    }).length;
  }

  /**
   * The mean square of what each host has more or less than its fair share of bytes, as a part of it, by size; a quarter
   * of the same of endpoints, and of the bytes of zones.
   */
  imbalance(moves: readonly PlannedMove[], driver: string): number {
    const alike = [...this.#hosts.values()].filter((host) => host.driver === driver);
    const known = alike.flatMap(({ capacityBytes = 0 }) => (capacityBytes > 0 ? [capacityBytes] : []));
    const average = known.length === 0 ? 1 : Math.max(1, total(known) / known.length);
    const open = alike
      .filter(({ closed }) => closed === undefined)
      .map((host) => ({
        zone: host.zone,
        size: (host.capacityBytes ?? 0) > 0 ? (host.capacityBytes ?? 0) : average,
        load: this.#loadOf(host, moves),
        count: this.#countOn(host, moves),
      }));
    const zones = [...new Set(open.map(({ zone }) => zone))].map((zone) => {
      const inIt = open.filter((host) => host.zone === zone);
      return { size: total(inIt.map(({ size }) => size)), load: total(inIt.map(({ load }) => load)) };
    });
    return (
      deviation(open.map(({ size, load }) => [size, load])) +
      deviation(open.map(({ size, count }) => [size, count])) / 4 +
      deviation(zones.map(({ size, load }) => [size, load])) / 4
    );
  }
}

function deviation(places: readonly (readonly [size: number, held: number])[]): number {
  const size = total(places.map(([each]) => each));
  const held = total(places.map(([, each]) => each));
  if (held === 0) return 0;
  return total(places.map(([each, has]) => (each / size) * (has / held / (each / size) - 1) ** 2));
}

const total = (figures: readonly number[]): number => figures.reduce((sum, figure) => sum + figure, 0);
