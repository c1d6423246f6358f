import type { Host } from '../../domain/host.ts';
import type { Occupied } from '../../domain/choose-target.ts';
import type { HostName } from '../../domain/ids.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';

type FleetServices = Pick<Services, 'store' | 'views'> & Partial<Pick<Services, 'log'>>;

/** Every host, with what is stored on it now. */
export async function loadFleet(services: FleetServices): Promise<Occupied[]> {
  const names: HostName[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.hosts(cursor);
    names.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const hosts = await loadReadable(
    services,
    'host',
    names.map((name) => ({ name })),
  );
  const known = hosts.filter((host): host is Host => host !== undefined && host !== 'unreadable');
  return Promise.all(known.map(async (host) => ({ host, ...(await storedOn(services, host.name)) })));
}

/** What is placed on a host, in bytes and in number. */
export async function storedOn(
  services: FleetServices,
  host: HostName,
): Promise<{ readonly bytes: number; readonly endpoints: number }> {
  let bytes = 0;
  let endpoints = 0;
  let cursor: string | undefined;
  do {
    const page = await services.views.endpointsOn(host, cursor);
    const placements = await loadReadable(
      services,
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const placement of placements) {
      if (placement === 'unreadable' || placement?.host !== host) continue;
      bytes += placement.sizeBytes;
      endpoints += 1;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { bytes, endpoints };
}
