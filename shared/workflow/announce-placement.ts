import type { Placement } from '../domain/placement.ts';
import { arbitrate } from './arbiter.ts';
import { placeOfMove, type TracePlace } from '../domain/trace.ts';
import { loadReadable } from './each-apart.ts';
import type { Services } from './services.ts';

type AnnounceServices = Pick<Services, 'store' | 'bus' | 'clock' | 'log'>;

/**
 * Tells the world where an endpoint is now, and then notes on its row that this epoch has been told. A crash
 * in between tells it twice, with the same id; consumers ignore an epoch that is not higher than the last.
 */
export async function announcePlacement(services: AnnounceServices, placement: Placement): Promise<void> {
  const { endpoint, epoch, host, database } = placement;
  const [at, trace] = await Promise.all([
    services.store.load('host', { name: host }),
    traceOf(services, placement),
  ]);
  await services.bus.announce([
    {
      id: `${endpoint}:${String(epoch)}`,
      type: 'endpoint.moved',
      subject: endpoint,
      at: services.clock.now(),
      ...(trace === undefined ? {} : { trace }),
      data: { endpoint, epoch, host, database, ...(at === undefined ? {} : { address: at.clientAddress }) },
    },
  ]);
  await arbitrate(services, endpoint, { kind: 'announced', epoch });
}

/** Of the move that has brought it there; where that is not known, none. */
async function traceOf(services: AnnounceServices, { lastMove }: Placement): Promise<TracePlace | undefined> {
  if (lastMove === undefined) return undefined;
  const [move] = await loadReadable(services, 'move', [{ id: lastMove }]);
  return move === undefined || move === 'unreadable' ? undefined : placeOfMove(move);
}
