import type { HostName } from '../ids.ts';
import { imbalanceOf } from './evenness.ts';
import { Ground, type Site } from './ground.ts';
import type { Plan } from './plan.ts';
import type { Snapshot } from './snapshot.ts';

/** What a host holds when all that is under way is over. */
export interface Holding {
  readonly bytes: number;
  readonly endpoints: number;
}

/** A host before and after a plan. */
export interface Sides {
  readonly host: HostName;
  readonly zone: string;
  readonly capacityBytes?: number;
  readonly before: Holding;
  readonly after: Holding;
}

/** Every host, by name. */
export function sidesOf(snapshot: Snapshot, plan: Plan): readonly Sides[] {
  const ground = new Ground(snapshot);
  const before = ground.sites.map(holdingOf);
  carryOut(ground, plan);
  return ground.sites.map((site, index) => {
    const { name, zone, capacityBytes } = site.host;
    return {
      host: name,
      zone,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      before: before[index] ?? holdingOf(site),
      after: holdingOf(site),
    };
  });
}

/** How uneven the open hosts of the fleet are before and after a plan: of the engine that is the most uneven. */
export function balanceOf(
  snapshot: Snapshot,
  plan: Plan,
): { readonly before: number; readonly after: number } {
  const ground = new Ground(snapshot);
  const before = mostUneven(ground);
  carryOut(ground, plan);
  return { before, after: mostUneven(ground) };
}

function mostUneven(ground: Ground): number {
  const drivers = new Set(ground.sites.map(({ host }) => host.driver));
  return Math.max(0, ...[...drivers].map((driver) => imbalanceOf(ground.openSites(driver))));
}

function carryOut(ground: Ground, { moves }: Plan): void {
  for (const { seat, target } of moves) {
    const site = ground.site(target);
    if (site !== undefined) ground.settle(seat, site);
  }
}

const holdingOf = ({ load, count }: Site): Holding => ({ bytes: load, endpoints: count });
