import { endpointName, hostName } from '../shared/domain/ids.ts';
import type { PlanHost, Seat, Snapshot } from '../shared/domain/planning/snapshot.ts';
import { Dice } from '../tests/support/dice.ts';

const terabyte = 1e12;

/**
 * A fleet such as grows by itself: some hosts have much, most little; a tenth of the endpoints are in groups of three, a
 * seventh are bound to two of four zones, a hundredth are pinned. The same for the same figures.
 */
export function grownFleet(hosts: number, endpoints: number): Snapshot {
  const dice = new Dice(hosts + endpoints);
  const some: PlanHost[] = Array.from({ length: hosts }, (_, nth) => ({
    name: hostName(`host-${String(nth)}`),
    driver: 'simulated',
    major: 1,
    zone: `zone-${String(nth % 4)}`,
    capacityBytes: terabyte * (nth % 5 === 0 ? 2 : 1),
    hasFailed: false,
    reservedBytes: 0,
    ...(nth % 50 === 49 ? { closed: 'cordoned' as const } : {}),
  }));
  const filled = some.map(() => 0);
  const seats: Seat[] = [];
  for (let nth = 0; nth < endpoints; nth += 1) {
    const bytes = Math.floor(dice.fraction() ** 4 * 0.02 * terabyte);
    // The first hosts are the oldest, and have the most; none is filled over four fifths.
    let at = Math.floor(dice.fraction() ** 2 * hosts);
    for (let tries = 0; tries < hosts; tries += 1) {
      if ((filled[at] ?? 0) + bytes < 0.8 * terabyte) break;
      at = (at + 1) % hosts;
    }
    filled[at] = (filled[at] ?? 0) + bytes;
    const host = some[at]?.name ?? hostName('host-0');
    seats.push({
      endpoint: endpointName(`tenant-${String(nth).padStart(6, '0')}`),
      driver: 'simulated',
      host,
      bytes,
      labels: { tier: nth % 3 === 0 ? 'gold' : 'iron' },
      ...(nth % 10 === 0
        ? { group: { name: `group-${String(Math.floor(nth / 30))}`, spread: 'hosts' as const } }
        : {}),
      ...(nth % 7 === 0 ? { zones: ['zone-0', 'zone-1'] } : {}),
      ...(nth % 100 === 1 ? { pin: host } : {}),
    });
  }
  return { hosts: some, seats };
}
