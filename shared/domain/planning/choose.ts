import type { Scale } from './evenness.ts';
import type { Ground, Site } from './ground.ts';
import { obstacle, type Traveller } from './rules.ts';
import type { Seat } from './snapshot.ts';

export interface Choice {
  readonly site: Site;
  /** How many hosts would have done. */
  readonly of: number;
}

/**
 * The best host for an endpoint: of those that no rule stops the one to which it is pinned, else one in the zone with
 * the fewest of its group, else the one that leaves the fleet most even, else the first by name.
 */
export function choose(ground: Ground, scale: Scale, traveller: Traveller): Choice | undefined {
  const { seat, from } = traveller;
  const isFree = seat.group === undefined && seat.pin === undefined;
  let best: Site | undefined;
  let bestRank = 0;
  let bestCost = 0;
  let of = 0;
  for (const site of ground.openSites(seat.driver)) {
    if (site === from || obstacle(ground, traveller, site) !== undefined) continue;
    of += 1;
    const rank = isFree ? 0 : rankOf(ground, seat, site);
    if (best !== undefined && rank > bestRank) continue;
    const cost = scale.costOf(site, seat.bytes);
    if (best !== undefined && rank === bestRank && cost >= bestCost) continue;
    best = site;
    bestRank = rank;
    bestCost = cost;
  }
  return best === undefined ? undefined : { site: best, of };
}

const rankOf = (ground: Ground, seat: Seat, { host }: Site): number =>
  host.name === seat.pin ? -1 : ground.othersInZone(seat, host.zone);
