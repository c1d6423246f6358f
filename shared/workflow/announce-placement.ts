import type { Placement } from '../domain/placement.ts';
import { arbitrate } from './arbiter.ts';
import type { Services } from './services.ts';

/**
 * Tells the world where an endpoint is now, and then notes on its row that this epoch has been told. A crash
 * in between tells it twice, with the same id; consumers ignore an epoch that is not higher than the last.
 */
export async function announcePlacement(
  services: Pick<Services, 'store' | 'bus' | 'clock'>,
  placement: Placement,
): Promise<void> {
  const { endpoint, epoch, host, database } = placement;
  const at = await services.store.load('host', { name: host });
  await services.bus.announce([
    {
      id: `${endpoint}:${String(epoch)}`,
      type: 'endpoint.moved',
      subject: endpoint,
      at: services.clock.now(),
      data: { endpoint, epoch, host, database, ...(at === undefined ? {} : { address: at.clientAddress }) },
    },
  ]);
  await arbitrate(services, endpoint, { kind: 'announced', epoch });
}
