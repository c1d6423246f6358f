import type { Host } from '../../domain/host.ts';
import type { Occupied } from '../../domain/choose-target.ts';
import type { HostName } from '../../domain/ids.ts';
import type { Services } from '../services.ts';

type FleetServices = Pick<Services, 'store' | 'views'>;

/** Every host, with what is stored on it now. */
export async function loadFleet(services: FleetServices): Promise<Occupied[]> {
  const names: HostName[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.hosts(cursor);
    names.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const hosts = await services.store.loadMany(
    'host',
    names.map((name) => ({ name })),
  );
  const known = hosts.filter((host): host is Host => host !== undefined);
  return Promise.all(known.map(async (host) => ({ host, ...(await storedOn(services, host.name)) })));
}

/** What is placed on a host, in bytes and in number. */
export async function storedOn(
  { store, views }: FleetServices,
  host: HostName,
): Promise<{ readonly bytes: number; readonly endpoints: number }> {
  let bytes = 0;
  let endpoints = 0;
  let cursor: string | undefined;
  do {
    const page = await views.endpointsOn(host, cursor);
    const placements = await store.loadMany(
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const placement of placements) {
      if (placement?.host !== host) continue;
      bytes += placement.sizeBytes;
      endpoints += 1;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { bytes, endpoints };
}
