import { failedSince } from '../health.ts';
import { headroom, type Host } from '../host.ts';
import type { EndpointName, HostName, MoveId } from '../ids.ts';
import type { Group, Placement } from '../placement.ts';

/** Why nothing may arrive on a host. */
export type Closure = 'cordoned' | 'draining' | 'retired' | 'failed';

/** A host as the planner sees it. */
export interface PlanHost {
  readonly name: HostName;
  readonly driver: string;
  /** The first number of its server's version; undefined where it does not begin with one. */
  readonly major?: number;
  readonly zone: string;
  /** Undefined: nobody said, so space is not checked. */
  readonly capacityBytes?: number;
  readonly closed?: Closure;
  /** What is on it has to leave, pinned or not. */
  readonly hasFailed: boolean;
  /** Set aside for moves on their way here. */
  readonly reservedBytes: number;
}

/** An endpoint as the planner sees it. */
export interface Seat {
  readonly endpoint: EndpointName;
  readonly driver: string;
  readonly host: HostName;
  readonly bytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly group?: Group;
  readonly zones?: readonly string[];
  readonly pin?: HostName;
  /** The move that has it, and where that takes it. */
  readonly moving?: { readonly move: MoveId; readonly target: HostName };
}

/** The fleet at one moment. In any order: a plan does not depend on it. */
export interface Snapshot {
  readonly hosts: readonly PlanHost[];
  readonly seats: readonly Seat[];
}

/** @param ours moves whose room is counted elsewhere */
export function planHostOf(host: Host, ours: ReadonlySet<string> = new Set()): PlanHost {
  const { name, driver, zone, capacityBytes, intent } = host;
  const major = majorOf(host.serverVersion);
  const hasFailed = failedSince(host) !== undefined;
  const closed = intent.value === 'active' ? (hasFailed ? 'failed' : undefined) : intent.value;
  return {
    name,
    driver,
    zone,
    hasFailed,
    reservedBytes: reservedFor(host, ours),
    ...(major === undefined ? {} : { major }),
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    ...(closed === undefined ? {} : { closed }),
  };
}

/** A loop, for there may be many, and they are asked for often. */
function reservedFor({ reserved }: Host, ours: ReadonlySet<string>): number {
  const held: Readonly<Record<string, number>> = reserved;
  let sum = 0;
  for (const move of Object.keys(held)) if (!ours.has(move)) sum += held[move] ?? 0;
  return sum;
}

/** @param target where the move that has the endpoint takes it, if one has it */
export function seatOf(placement: Placement, target?: HostName): Seat {
  const { endpoint, driver, host, sizeBytes, labels, group, zones, pin, claim } = placement;
  return {
    endpoint,
    driver,
    host,
    bytes: sizeBytes,
    labels,
    ...(group === undefined ? {} : { group }),
    ...(zones === undefined ? {} : { zones }),
    ...(pin === undefined ? {} : { pin }),
    ...(claim === undefined ? {} : { moving: { move: claim.move, target: target ?? host } }),
  };
}

/** `18.4` is 18. */
function majorOf(version: string): number | undefined {
  const [digits] = /^\d{1,9}/.exec(version) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** What a host may hold in all, with a share of its capacity kept free. */
export const limitOf = ({ capacityBytes }: Pick<PlanHost, 'capacityBytes'>): number =>
  capacityBytes === undefined ? Infinity : capacityBytes * (1 - headroom);
