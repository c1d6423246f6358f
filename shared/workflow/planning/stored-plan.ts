import * as z from 'zod';
import type { ClaimCheck } from '../../domain/batch.ts';
import { isHostName, type EndpointName, type HostName } from '../../domain/ids.ts';
import type { Plan } from '../../domain/planning/plan.ts';
import type { Services } from '../services.ts';

/** What the plan of a batch says of one of its endpoints. */
export interface PlanEntry {
  readonly endpoint: EndpointName;
  /** Where it was when the plan was made. */
  readonly from: HostName;
  /** Undefined where it had nowhere to go. */
  readonly to?: { readonly target: HostName; readonly why: string };
}

const place = z.int().nonnegative();

/**
 * A plan in object storage, beside the list of its endpoints and in that order. Hosts and sentences stand in it once
 * and entries name their places: a hundred thousand take about two megabytes.
 */
const schema = z.object({
  v: z.literal(1),
  hosts: z.array(z.custom<HostName>((value) => typeof value === 'string' && isHostName(value))),
  whys: z.array(z.string()),
  from: z.array(place),
  /** One more than the place of the target; 0 where there is none. */
  to: z.array(place),
  why: z.array(place),
});

/** Moves first, in the order of the plan; then what has nowhere to go. */
export function entriesOf({ moves, unplaced }: Plan): readonly PlanEntry[] {
  // The same few sentences a hundred thousand times: each is kept once.
  const kept = new Map<string, string>();
  const once = (why: string): string => kept.get(why) ?? (kept.set(why, why), why);
  return [
    ...moves.map(({ seat, target, why }) => ({
      endpoint: seat.endpoint,
      from: seat.host,
      to: { target, why: once(why) },
    })),
    ...unplaced.map(({ seat }) => ({ endpoint: seat.endpoint, from: seat.host })),
  ];
}

export async function storePlan(
  { blobs }: Pick<Services, 'blobs'>,
  entries: readonly PlanEntry[],
): Promise<ClaimCheck> {
  const hosts = new Places<HostName>();
  const whys = new Places<string>();
  const from = entries.map((entry) => hosts.of(entry.from));
  const to = entries.map((entry) => (entry.to === undefined ? 0 : hosts.of(entry.to.target) + 1));
  const why = entries.map((entry) => (entry.to === undefined ? 0 : whys.of(entry.to.why)));
  return blobs.put({ v: 1, hosts: hosts.all(), whys: whys.all(), from, to, why });
}

/** @throws StepFailure when it is gone or altered */
export async function readPlan(
  { blobs }: Pick<Services, 'blobs'>,
  check: ClaimCheck,
  names: readonly EndpointName[],
): Promise<readonly PlanEntry[]> {
  const { hosts, whys, from, to, why } = schema.parse(await blobs.get(check));
  return names.map((endpoint, index) => {
    const source = hosts[from[index] ?? -1];
    if (source === undefined) throw new RangeError(`the plan at ${check.key} lacks ${endpoint}`);
    const target = hosts[(to[index] ?? 0) - 1];
    const entry = { endpoint, from: source };
    return target === undefined ? entry : { ...entry, to: { target, why: whys[why[index] ?? -1] ?? '' } };
  });
}

/** Each value once, and where it stands. */
class Places<T> {
  readonly #places = new Map<T, number>();

  of(value: T): number {
    const place = this.#places.get(value) ?? this.#places.size;
    this.#places.set(value, place);
    return place;
  }

  all(): readonly T[] {
    return [...this.#places.keys()];
  }
}
