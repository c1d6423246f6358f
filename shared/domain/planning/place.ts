import type { HostName } from '../ids.ts';
import { choose, type Choice } from './choose.ts';
import { Scale } from './evenness.ts';
import type { Ground } from './ground.ts';
import type { PlannedMove, Unplaced } from './plan.ts';
import { obstacle, travellerOf, type Terms, type Traveller } from './rules.ts';
import type { Seat } from './snapshot.ts';
import { movingAlready, pinnedWhereItIs, thereAlready, withoutTarget } from './unplaced.ts';

/** An endpoint that is asked for, and the only host that will do, if one was named. */
export interface Asked {
  readonly seat: Seat;
  readonly wanted?: HostName;
}

export interface Placed {
  readonly moves: readonly PlannedMove[];
  readonly unplaced: readonly Unplaced[];
}

/** Finds a place for each of some endpoints, one after the other, each with a view to those before it. */
export class Placer {
  readonly #ground: Ground;
  readonly #terms: Terms;
  readonly #scales = new Map<string, Scale>();

  constructor(ground: Ground, terms: Terms) {
    this.#ground = ground;
    this.#terms = terms;
  }

  /** Those with the least choice first, then the largest, then by name. */
  placeAll(asked: readonly Asked[]): Placed {
    const moves: PlannedMove[] = [];
    const unplaced: Unplaced[] = [];
    const inOrder = asked
      .map((each) => ({ each, choice: this.#choiceOf(each) }))
      .sort(
        (one, other) =>
          one.choice - other.choice ||
          other.each.seat.bytes - one.each.seat.bytes ||
          (one.each.seat.endpoint < other.each.seat.endpoint ? -1 : 1),
      );
    for (const { each } of inOrder) {
      const answer = this.place(each);
      if ('target' in answer) moves.push(answer);
      else unplaced.push(answer);
    }
    return { moves, unplaced };
  }

  /** Settles it where it goes. */
  place({ seat, wanted }: Asked): PlannedMove | Unplaced {
    const ground = this.#ground;
    if (seat.moving !== undefined) return movingAlready(seat);
    const traveller = travellerOf(ground, seat, this.#terms);
    if (traveller.isPinned && seat.pin === seat.host) return pinnedWhereItIs(seat);
    if (wanted !== undefined) return this.#placeAt(traveller, wanted);
    const choice = choose(ground, this.#scaleOf(seat.driver), traveller);
    if (choice === undefined) return withoutTarget(ground, traveller);
    ground.settle(seat, choice.site);
    return { seat, target: choice.site.host.name, why: whyOf(choice, seat) };
  }

  #placeAt(traveller: Traveller, wanted: HostName): PlannedMove | Unplaced {
    const { seat, from } = traveller;
    if (from?.host.name === wanted) return thereAlready(seat);
    const site = this.#ground.site(wanted);
    if (site === undefined || obstacle(this.#ground, traveller, site) !== undefined) {
      return withoutTarget(this.#ground, traveller, wanted);
    }
    this.#ground.settle(seat, site);
    return { seat, target: wanted, why: 'asked for' };
  }

  #scaleOf(driver: string): Scale {
    const known =
      this.#scales.get(driver) ??
      new Scale(
        this.#ground.openSites(driver),
        this.#ground.sites.filter(({ host }) => host.driver === driver),
      );
    this.#scales.set(driver, known);
    return known;
  }

  /** About how many hosts come into question. */
  #choiceOf({ seat, wanted }: Asked): number {
    if (wanted !== undefined || seat.pin !== undefined) return 1;
    const open = this.#ground.openSites(seat.driver);
    const { zones } = seat;
    return zones === undefined ? open.length : open.filter(({ host }) => zones.includes(host.zone)).length;
  }
}

/** Coarse, so that a hundred thousand moves share a few sentences. */
function whyOf({ site, of }: Choice, { pin, group }: Seat): string {
  if (pin === site.host.name) return 'it is pinned there';
  const among =
    of === 1 ? 'the only host that may take it' : `the emptiest of ${String(of)} hosts that may take it`;
  return group === undefined ? among : `${among}, where the fewest of group ${group.name} are`;
}
