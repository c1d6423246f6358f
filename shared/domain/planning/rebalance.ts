import { choose } from './choose.ts';
import { Scale } from './evenness.ts';
import type { Ground, Site } from './ground.ts';
import type { PlannedMove } from './plan.ts';
import { travellerOf } from './rules.ts';
import type { Seat } from './snapshot.ts';
import { percent } from './unplaced.ts';

/** A host that has so much more than its fair share is even enough: of bytes, and of endpoints. */
const slackOfLoad = 0.05;
const slackOfCount = 0.25;
/** What makes less of a difference is not worth a move. */
const leastGain = 1e-9;

/**
 * Spreads what is on the hosts where something may arrive over them. Each move makes the fleet more even by the
 * measure of `imbalanceOf`, and nothing is moved twice.
 */
export function rebalance(ground: Ground): readonly PlannedMove[] {
  const drivers = new Set(ground.sites.map(({ host }) => host.driver));
  return [...drivers].sort().flatMap((driver) => evenOut(ground, driver));
}

/** Where one endpoint may go so that its hosts grow more even; settles it there. */
export function moreEven(ground: Ground, seat: Seat): PlannedMove | undefined {
  const from = ground.site(seat.host);
  if (from === undefined) return undefined;
  const levelling = new Levelling(ground, new Scale(ground.openSites(seat.driver)));
  levelling.attempt(seat, from);
  return levelling.moves[0];
}

/** Bytes first; then numbers, by whatever is smallest. */
function evenOut(ground: Ground, driver: string): PlannedMove[] {
  const sites = ground.openSites(driver);
  if (sites.length < 2) return [];
  const scale = new Scale(sites);
  const levelling = new Levelling(ground, scale);
  const seats = Map.groupBy(
    ground.seats.filter(
      (seat) => seat.driver === driver && seat.moving === undefined && seat.pin !== seat.host,
    ),
    ({ host }) => host,
  );
  const shelves = sites.map((site) => ({
    site,
    seats: (seats.get(site.host.name) ?? []).toSorted(byBytes),
  }));
  levelling.run(
    shelves.map(({ site, seats: all }) => ({ site, seats: all.filter(({ bytes }) => bytes > 0) })),
    ({ load, size }) => load / (size * scale.fairLoad),
    1 + slackOfLoad,
    ({ site, seats: left }) => largestWithin(left, site.load - scale.fairLoad * site.size),
  );
  levelling.run(
    shelves,
    ({ count, size }) => (count - 1) / (size * scale.fairCount),
    1 + slackOfCount,
    ({ seats: left }) => left.length - 1,
  );
  return levelling.moves;
}

/** What may leave a host, the largest first. */
interface Shelf {
  readonly site: Site;
  readonly seats: Seat[];
}

class Levelling {
  readonly moves: PlannedMove[] = [];
  readonly #ground: Ground;
  readonly #scale: Scale;
  readonly #moved = new Set<Seat>();

  constructor(ground: Ground, scale: Scale) {
    this.#ground = ground;
    this.#scale = scale;
  }

  /**
   * Takes from the fullest host again and again, until none is fuller than it may be, or nothing on it helps.
   *
   * @param fullness 1 is a fair share @param next the place on the shelf of what is tried next
   */
  run(
    shelves: readonly Shelf[],
    fullness: (site: Site) => number,
    most: number,
    next: (shelf: Shelf) => number,
  ): void {
    for (;;) {
      let fullest: Shelf | undefined;
      let highest = most;
      for (const shelf of shelves) {
        const full = fullness(shelf.site);
        if (shelf.seats.length === 0 || full <= highest) continue;
        fullest = shelf;
        highest = full;
      }
      if (fullest === undefined) return;
      const [seat] = fullest.seats.splice(next(fullest), 1);
      if (seat !== undefined && !this.#moved.has(seat)) this.attempt(seat, fullest.site);
    }
  }

  /** Whether it has helped or not, it is not looked at again: hosts only grow more alike. */
  attempt(seat: Seat, from: Site): void {
    const traveller = travellerOf(this.#ground, seat, { isNamed: false });
    const choice = choose(this.#ground, this.#scale, traveller);
    if (choice === undefined || this.#scale.changeBy(from, choice.site, seat.bytes) > -leastGain) return;
    this.#moved.add(seat);
    const why = this.#whyOf(from, choice.site);
    this.#ground.settle(seat, choice.site);
    this.moves.push({ seat, target: choice.site.host.name, why });
  }

  #whyOf(from: Site, to: Site): string {
    const { fairLoad, fairCount } = this.#scale;
    const bytes = (site: Site): string => percent(site.load / (site.size * fairLoad));
    const count = (site: Site): string => percent(site.count / (site.size * fairCount));
    return fairLoad > 0 && from.load / from.size > to.load / to.size
      ? `${from.host.name} has ${bytes(from)} of its fair share of bytes, ${to.host.name} ${bytes(to)}`
      : `${from.host.name} has ${count(from)} of its fair share of endpoints, ${to.host.name} ${count(to)}`;
  }
}

/** The largest that has no more bytes than there are too many; else the smallest. */
function largestWithin(seats: readonly Seat[], most: number): number {
  let low = 0;
  let high = seats.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seats[middle]?.bytes ?? 0) <= most) high = middle;
    else low = middle + 1;
  }
  return Math.min(low, seats.length - 1);
}

const byBytes = (one: Seat, other: Seat): number =>
  other.bytes - one.bytes || (one.endpoint < other.endpoint ? -1 : 1);
