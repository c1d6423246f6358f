import type { Fleet } from '../../domain/fleet.ts';
import type { Host } from '../../domain/host.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { leadOf } from '../../domain/move-reasons.ts';
import { stillGranted, type Granted, type Pace } from '../../domain/pace.ts';
import { Rooms } from '../../domain/rooms.ts';
import type { Store } from '../../ports/store.ts';
import { loadReadable } from '../each-apart.ts';
import { everyHost } from '../every-host.ts';
import { readFleet } from '../fleet-record.ts';
import type { Services } from '../services.ts';

/** What the dispatcher sees of the fleet when it looks. */
export interface Look {
  readonly fleet: Fleet;
  readonly hosts: readonly Host[];
  readonly rooms: Rooms;
  /** What earlier looks have chosen and hosts do not show yet. */
  readonly earlier: readonly Granted[];
}

type LookServices = Pick<Services, 'store' | 'views' | 'clock'> & Partial<Pick<Services, 'log'>>;

/** Reads every host, and of the moves under way whose they are, if that could matter. */
export async function lookAtRooms(services: LookServices, pace: Pace): Promise<Look> {
  const [fleet, hosts] = await Promise.all([readFleet(services), everyHost(services)]);
  const { knobs, throttle } = fleet;
  const rooms = new Rooms(hosts, {
    inAll: Math.min(knobs.movesInAll, throttle?.all ?? Infinity),
    inZone: (zone) => Math.min(knobs.movesPerZone, throttle?.zones[zone] ?? Infinity),
    ofBatch: knobs.movesPerBatch,
  });
  const earlier = await notTakenYet(services, pace, rooms.underWay);
  for (const granted of earlier) rooms.take(granted);
  await nameBatches(services, rooms);
  return { fleet, hosts, rooms, earlier };
}

/** What was chosen and shows nowhere: while it waits its permits are being taken, and when it does not it has had them. */
async function notTakenYet(
  services: LookServices,
  pace: Pace,
  shown: ReadonlySet<MoveId>,
): Promise<readonly Granted[]> {
  const hidden = stillGranted(pace, services.clock.now()).filter(({ id }) => !shown.has(id));
  const moves = await loadReadable(
    services,
    'move',
    hidden.map(({ id }) => ({ id })),
  );
  return hidden.filter((_, index) => {
    const move = moves[index];
    if (move === undefined || move === 'unreadable') return false;
    const { status } = move.execution;
    return status.state === 'waiting' && status.putOff === undefined && status.carried === undefined;
  });
}

/**
 * What a look has read, the next of the same process need not: whose a move is changes only when a more urgent batch
 * joins it, and then it is counted as its former lead's until it ends.
 */
const batchesRead = new WeakMap<Store, ReadonlyMap<MoveId, BatchId>>();

/** Says of everything that is under way whose it is. */
async function nameBatches(services: LookServices, rooms: Rooms): Promise<void> {
  const { store } = services;
  const known = batchesRead.get(store) ?? new Map<MoveId, BatchId>();
  const batches = new Map<MoveId, BatchId>();
  for (const id of rooms.underWay) {
    const batch = known.get(id);
    if (batch !== undefined) batches.set(id, batch);
  }
  const unknown = [...rooms.underWay].filter((id) => !batches.has(id));
  const moves = await loadReadable(
    services,
    'move',
    unknown.map((id) => ({ id })),
  );
  for (const move of moves)
    if (move !== undefined && move !== 'unreadable') batches.set(move.id, leadOf(move));
  for (const [id, batch] of batches) rooms.belongs(id, batch);
  batchesRead.set(store, batches);
}
