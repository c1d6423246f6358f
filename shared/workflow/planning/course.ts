import type { Selection } from '../../domain/batch.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EndpointName, HostName } from '../../domain/ids.ts';
import type { Placement } from '../../domain/placement.ts';
import type { Ground } from '../../domain/planning/ground.ts';
import { termsOf } from '../../domain/planning/make-plan.ts';
import { Placer } from '../../domain/planning/place.ts';
import { moreEven } from '../../domain/planning/rebalance.ts';
import { obstacle, travellerOf, type Terms } from '../../domain/planning/rules.ts';
import { seatOf, type PlanHost, type Seat } from '../../domain/planning/snapshot.ts';
import { targetsOf } from './selection.ts';
import type { PlanEntry } from './stored-plan.ts';

/** Where an endpoint goes, or why it stays. */
export type Heading =
  | { readonly kind: 'target'; readonly host: HostName; readonly why: string }
  | { readonly kind: 'none'; readonly failure: Failure };

/** What a batch asks for of an endpoint, and what the plan has found for it. */
export interface Asked {
  readonly heading: Heading;
  /** The only host that will do, where one was named. */
  readonly wanted?: HostName | undefined;
  /** Will another batch's move of it do? */
  readonly mayJoin: boolean;
}

/**
 * A plan while its moves are made: the fleet as it is now, with all that is still to be made of the plan. A target that
 * has become illegal is chosen anew, by the same rules.
 */
export class Course {
  readonly #ground: Ground;
  readonly #selection: Selection;
  readonly #terms: Terms;
  readonly #placer: Placer;
  readonly #targetOf: (endpoint: EndpointName) => HostName | undefined;
  readonly #seats: ReadonlyMap<EndpointName, Seat>;

  /** @param ground with what is to come of the plan settled on it */
  constructor(ground: Ground, selection: Selection) {
    this.#ground = ground;
    this.#selection = selection;
    this.#terms = termsOf(selection);
    this.#placer = new Placer(ground, this.#terms);
    this.#targetOf = targetsOf(selection);
    this.#seats = new Map(ground.seats.map((seat) => [seat.endpoint, seat]));
  }

  /** Settles on a ground what is still to come of a plan. */
  static settle(ground: Ground, entries: readonly PlanEntry[]): void {
    const seats = new Map(ground.seats.map((seat) => [seat.endpoint, seat]));
    for (const { endpoint, to } of entries) {
      const seat = seats.get(endpoint);
      const site = to === undefined ? undefined : ground.site(to.target);
      if (seat !== undefined && site !== undefined) ground.settle(seat, site);
    }
  }

  /** A host as it is now. */
  refresh(host: PlanHost): void {
    this.#ground.refresh(host);
  }

  /** A host that is not there any more, or cannot be read. */
  close(name: HostName): void {
    const site = this.#ground.site(name);
    if (site !== undefined) this.#ground.refresh({ ...site.host, closed: 'retired' });
  }

  /** @param placement as it is now */
  headingOf(entry: PlanEntry, placement: Placement): Heading {
    const seat = seatOf(placement);
    const planned = this.#seats.get(entry.endpoint) ?? seat;
    const site = entry.to === undefined ? undefined : this.#ground.site(entry.to.target);
    if (site !== undefined) this.#ground.unsettle(planned, site);
    if (seat.host !== entry.from && this.#isOfPlace()) return hasLeft(entry);
    const traveller = travellerOf(this.#ground, seat, this.#terms);
    if (
      entry.to !== undefined &&
      site !== undefined &&
      seat.host !== entry.to.target &&
      obstacle(this.#ground, traveller, site) === undefined
    ) {
      this.#ground.settle(seat, site);
      return { kind: 'target', host: entry.to.target, why: entry.to.why };
    }
    return this.#anew(seat);
  }

  /** What is asked for of an endpoint, with its heading. */
  askedOf(entry: PlanEntry, placement: Placement): Asked {
    return {
      heading: this.headingOf(entry, placement),
      wanted: this.#targetOf(entry.endpoint),
      // What makes the fleet more even is not whatever moves an endpoint; what has left need not be moved again.
      mayJoin: this.#selection.kind !== 'rebalance' && (placement.host === entry.from || !this.#isOfPlace()),
    };
  }

  #anew(whole: Seat): Heading {
    // Whose it is, is the arbiter's to say when the move claims it.
    const { moving: _, ...seat } = whole;
    if (this.#selection.kind === 'rebalance') {
      const move = moreEven(this.#ground, seat);
      if (move === undefined) return { kind: 'none', failure: evenEnough(seat) };
      return { kind: 'target', host: move.target, why: move.why };
    }
    const wanted = this.#targetOf(seat.endpoint);
    const answer = this.#placer.place(wanted === undefined ? { seat } : { seat, wanted });
    return 'target' in answer
      ? { kind: 'target', host: answer.target, why: answer.why }
      : { kind: 'none', failure: answer.failure };
  }

  /** Was it asked for because of where it is? */
  #isOfPlace(): boolean {
    const selection = this.#selection;
    return (
      selection.kind === 'host' ||
      selection.kind === 'relieve' ||
      selection.kind === 'rebalance' ||
      (selection.kind === 'where' && selection.where.host !== undefined)
    );
  }
}

const hasLeft = ({ endpoint, from }: PlanEntry): Heading => ({
  kind: 'none',
  failure: {
    code: 'endpoint-left',
    sentence: `${endpoint} has left ${from} already, by another move`,
    cure: 'nothing to do: it is no longer where it was to leave',
  },
});

const evenEnough = ({ endpoint }: Seat): Failure => ({
  code: 'even-already',
  sentence: `to move ${endpoint} would not make the fleet more even any more`,
  cure: 'ask for a rebalance again if the fleet is uneven',
});
