import type { Host } from '../domain/host.ts';
import { loadReadable } from './each-apart.ts';
import { everyPage } from './every-page.ts';
import type { Services } from './services.ts';

/** Every host whose row can be read. */
export async function everyHost(
  services: Pick<Services, 'store' | 'views'> & Partial<Pick<Services, 'log'>>,
): Promise<Host[]> {
  const names = await everyPage((cursor) => services.views.hosts(cursor));
  const hosts = await loadReadable(
    services,
    'host',
    names.map((name) => ({ name })),
  );
  return hosts.filter((host): host is Host => host !== undefined && host !== 'unreadable');
}
