import type { Rooms } from '../../domain/rooms.ts';
import type { WaitingMove } from '../../ports/store.ts';
import type { Services } from '../services.ts';

/**
 * What alarms know of waiting: how many wait, and how long the oldest has, in all and by each host and zone that it
 * leaves or enters. Hosts for which nothing waits have no figure.
 */
export function tellOfWaiting(
  { meter, clock }: Pick<Services, 'meter' | 'clock'>,
  rooms: Rooms,
  moves: readonly WaitingMove[],
  chosen: readonly WaitingMove[],
): void {
  const goes = new Set(chosen.map(({ id }) => id));
  // Where nothing may leave or enter at all, more permits elsewhere would not help.
  const stays = moves.filter(
    ({ id, source, target }) =>
      !goes.has(id) && rooms.limitOf(source, 'out') > 0 && rooms.limitOf(target, 'in') > 0,
  );
  const now = clock.now();
  meter.note('MovesWaiting', stays.length);
  meter.note('MovesAdmitted', chosen.length);
  meter.note('OldestAdmissibleMs', longest(stays, now));
  const byHost = grouped(stays, ({ source, target }) => [source, target]);
  for (const [host, those] of byHost) meter.note('OldestAdmissibleMs', longest(those, now), { host });
  const byZone = grouped(stays, ({ source, target }) => {
    const zones = [rooms.zoneOf(source), rooms.zoneOf(target)];
    return zones.filter((zone) => zone !== undefined);
  });
  for (const [zone, those] of byZone) meter.note('OldestAdmissibleMs', longest(those, now), { zone });
}

const longest = (moves: readonly WaitingMove[], now: number): number =>
  moves.reduce((most, { createdAt }) => Math.max(most, now - createdAt), 0);

function grouped<K>(
  moves: readonly WaitingMove[],
  keysOf: (move: WaitingMove) => readonly K[],
): Map<K, WaitingMove[]> {
  const groups = new Map<K, WaitingMove[]>();
  for (const move of moves) {
    for (const key of new Set(keysOf(move))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [move]);
      else group.push(move);
    }
  }
  return groups;
}
