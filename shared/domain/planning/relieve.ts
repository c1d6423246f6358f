import type { Failure } from '../failure.ts';
import type { HostName } from '../ids.ts';
import type { Ground } from './ground.ts';
import { Placer, type Placed } from './place.ts';
import type { PlannedMove, Unplaced } from './plan.ts';
import type { Seat } from './snapshot.ts';
import { percent } from './unplaced.ts';

/** Brings a host under a share of its capacity, with as few bytes as can be, and fills no other so far. */
export function relieve(
  ground: Ground,
  { host, under }: { readonly host: HostName; readonly under: number },
): Placed & { readonly unmet?: Failure } {
  const site = ground.site(host);
  if (site === undefined) return nothing(unknown(host));
  const { capacityBytes } = site.host;
  if (capacityBytes === undefined) return nothing(unsized(host));
  const limit = under * capacityBytes;
  const placer = new Placer(ground, { isNamed: false, under });
  const moves: PlannedMove[] = [];
  const unplaced: Unplaced[] = [];
  let left = ground.seats.filter((seat) => seat.host === host && seat.moving === undefined && seat.bytes > 0);
  left.sort((one, other) => other.bytes - one.bytes || (one.endpoint < other.endpoint ? -1 : 1));
  while (site.load >= limit && left.length > 0) {
    const leavers = new Set(fewestBytes(left, site.load - limit));
    for (const seat of leavers) {
      const answer = placer.place({ seat });
      if ('target' in answer)
        moves.push({ ...answer, why: `brings ${host} under ${percent(under)}; ${answer.why}` });
      else unplaced.push(answer);
    }
    left = left.filter((seat) => !leavers.has(seat));
  }
  return site.load < limit
    ? { moves, unplaced: [] }
    : { moves, unplaced, unmet: unrelieved(host, under, site.load / capacityBytes) };
}

/**
 * Of endpoints, largest first, some that together have more than so many bytes, and not many more: the largest that
 * fit, and one to make it up; or a single one, where that has fewer.
 */
function fewestBytes(seats: readonly Seat[], over: number): readonly Seat[] {
  const some: Seat[] = [];
  let rest = over;
  for (const seat of seats) {
    if (seat.bytes > rest) continue;
    some.push(seat);
    rest -= seat.bytes;
  }
  const taken = new Set(some);
  const last = seats.findLast((seat) => seat.bytes > rest && !taken.has(seat));
  const single = seats.findLast((seat) => seat.bytes > over);
  const together = last === undefined ? some : [...some, last];
  if (single === undefined) return together;
  return last === undefined || single.bytes <= over - rest + last.bytes ? [single] : together;
}

const nothing = (unmet: Failure): Placed & { readonly unmet: Failure } => ({
  moves: [],
  unplaced: [],
  unmet,
});

const unknown = (host: HostName): Failure => ({
  code: 'host-unknown',
  sentence: `there is no host ${host}`,
  cure: `check the name, or register it: dray host add ${host} --driver … --url … --zone …`,
});

const unsized = (host: HostName): Failure => ({
  code: 'capacity-unknown',
  sentence: `nobody has said how much ${host} may hold`,
  cure: `say it: register ${host} again with its capacity`,
});

const unrelieved = (host: HostName, under: number, share: number): Failure => ({
  code: 'not-relieved',
  sentence: `${host} stays filled to ${percent(share)}, and was to come under ${percent(under)}: what else is on it has nowhere to go`,
  cure: 'see why of each of its endpoints with dray plan, make room on other hosts, or add one',
});
