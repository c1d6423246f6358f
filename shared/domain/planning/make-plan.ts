import type { Selection, Where } from '../batch.ts';
import type { EndpointName, HostName } from '../ids.ts';
import { Ground } from './ground.ts';
import { Placer, type Asked, type Placed } from './place.ts';
import type { Plan } from './plan.ts';
import { rebalance } from './rebalance.ts';
import { relieve } from './relieve.ts';
import type { Terms } from './rules.ts';
import type { Seat, Snapshot } from './snapshot.ts';

/**
 * What is to be done about a request, given the fleet. Pure: the same request and the same fleet, in whatever order its
 * hosts and endpoints are told, make the same plan.
 */
export function makePlan(selection: Selection, snapshot: Snapshot): Plan {
  return planOn(new Ground(snapshot), selection);
}

/** The same on a ground, which is left as it will be. */
export function planOn(ground: Ground, selection: Selection): Plan {
  switch (selection.kind) {
    case 'endpoints': {
      const { target } = selection;
      return planNamed(
        ground,
        [...new Set(selection.endpoints)].map((endpoint) => ({ endpoint, target })),
      );
    }
    case 'pairs':
      return planNamed(ground, selection.pairs);
    case 'host':
      return planAll(ground, { host: selection.host }, selection.target);
    case 'labels':
      return planAll(ground, { labels: selection.labels }, selection.target);
    case 'where':
      return planAll(ground, selection.where, selection.target);
    case 'rebalance':
      return { moves: rebalance(ground), unplaced: [], unknown: [] };
    case 'relieve':
      return { ...relieve(ground, selection), unknown: [] };
    default:
      return selection satisfies never;
  }
}

/** How a request asks. */
export function termsOf(selection: Selection): Terms {
  switch (selection.kind) {
    case 'endpoints':
    case 'pairs':
      return { isNamed: true };
    case 'relieve':
      return { isNamed: false, under: selection.under };
    case 'host':
    case 'labels':
    case 'where':
    case 'rebalance':
      return { isNamed: false };
    default:
      return selection satisfies never;
  }
}

/** Is it one of those that a request means? */
export function isMeant({ labels, tenant, size, host }: Where, seat: Seat): boolean {
  return (
    Object.entries(labels ?? {}).every(([name, value]) => seat.labels[name] === value) &&
    (tenant === undefined || seat.labels['tenant'] === tenant) &&
    seat.bytes >= (size?.atLeast ?? 0) &&
    seat.bytes <= (size?.atMost ?? Infinity) &&
    (host === undefined || seat.host === host)
  );
}

interface Named {
  readonly endpoint: EndpointName;
  readonly target?: HostName | undefined;
}

function planNamed(ground: Ground, named: readonly Named[]): Plan {
  const seats = new Map(ground.seats.map((seat) => [seat.endpoint, seat]));
  const unknown: EndpointName[] = [];
  const asked = named.flatMap(({ endpoint, target }): Asked[] => {
    const seat = seats.get(endpoint);
    if (seat === undefined) {
      unknown.push(endpoint);
      return [];
    }
    return [target === undefined ? { seat } : { seat, wanted: target }];
  });
  return { ...new Placer(ground, { isNamed: true }).placeAll(asked), unknown };
}

function planAll(ground: Ground, where: Where, target: HostName | undefined): Plan {
  const asked = ground.seats
    .filter((seat) => isMeant(where, seat))
    .map((seat): Asked => (target === undefined ? { seat } : { seat, wanted: target }));
  const placed: Placed = new Placer(ground, { isNamed: false }).placeAll(asked);
  return { ...placed, unknown: [] };
}
