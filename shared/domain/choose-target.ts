import { acceptsArrivals, freeBytes, type Host } from './host.ts';
import { failures } from './health.ts';
import type { Failure } from './failure.ts';
import type { HostName } from './ids.ts';
import type { Placement } from './placement.ts';

/** A host and what is placed on it, with what this plan has added so far. */
export interface Occupied {
  readonly host: Host;
  readonly bytes: number;
  readonly endpoints: number;
}

export type Choice =
  | { readonly kind: 'target'; readonly host: HostName; readonly why: string }
  | { readonly kind: 'none'; readonly failure: Failure };

/**
 * Where an endpoint goes. Rules first (same engine of data, accepts arrivals, has room with a tenth to spare),
 * then the fewest bytes, then the fewest endpoints, then the name, so that the same fleet gives the same plan.
 *
 * @param wanted the only host that will do, if one was named
 */
export function chooseTarget(fleet: readonly Occupied[], placement: Placement, wanted?: HostName): Choice {
  const reasons: string[] = [];
  const legal = fleet.filter((candidate) => {
    if (wanted !== undefined && candidate.host.name !== wanted) return false;
    const against = objection(candidate, placement);
    if (against !== undefined) reasons.push(`${candidate.host.name} ${against}`);
    return against === undefined;
  });
  const [best] = legal.toSorted(
    (a, b) => a.bytes - b.bytes || load(a) - load(b) || (a.host.name < b.host.name ? -1 : 1),
  );
  if (best !== undefined) {
    const why =
      wanted === undefined
        ? `holds the least of ${String(legal.length)} ${legal.length === 1 ? 'host' : 'hosts'} with room`
        : 'asked for';
    return { kind: 'target', host: best.host.name, why };
  }
  const listed = reasons.slice(0, 10).join('; ');
  return {
    kind: 'none',
    failure: {
      code: 'no-target',
      sentence: `no host may take ${placement.endpoint}: ${listed === '' ? 'there is none' : listed}`,
      cure: 'add a host, uncordon one, or make room on one',
    },
  };
}

/** Which hard rule stops this host, if any. */
function objection({ host, bytes }: Occupied, placement: Placement): string | undefined {
  if (host.name === placement.host) return 'is where it is';
  if (host.driver !== placement.driver) return `is of another engine (${host.driver})`;
  if (!acceptsArrivals(host)) {
    return host.intent.value === 'active'
      ? `has failed (${failures(host).join(', ')})`
      : `is ${host.intent.value}`;
  }
  if (freeBytes(host, bytes) < placement.sizeBytes) return 'has too little room';
  return undefined;
}

/** What is there and what is on its way. */
const load = ({ host, endpoints }: Occupied): number => endpoints + Object.keys(host.reserved).length;
