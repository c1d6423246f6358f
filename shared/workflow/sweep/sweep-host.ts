import type { HostName } from '../../domain/ids.ts';
import { isTerminal } from '../../domain/execution.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Residue } from '../../ports/driver.ts';
import { loadHost, siteOf } from '../host-site.ts';
import { cleanupLedger } from '../move-endpoint/cleanup-ledger.ts';
import type { Services } from '../services.ts';

export type HostSweepServices = Pick<
  Services,
  'store' | 'views' | 'bus' | 'secrets' | 'driver' | 'clock' | 'log' | 'settings'
>;

/** One message per host, so that a host that hangs holds up its own sweep only. */
export async function fanOutHostSweep({ views, bus }: Pick<Services, 'views' | 'bus'>): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await views.hosts(cursor);
    await Promise.all(page.items.map((host) => bus.sendHostSweep(host)));
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/**
 * Removes from a host what ended moves have left there. A thing goes when its move has ended and it stands in
 * a cleanup record; what no record knows is recorded now and goes with the next sweep, if it still looks the
 * same then.
 */
export async function sweepHost(services: HostSweepServices, name: HostName): Promise<void> {
  const host = await loadHost(services, name);
  const site = await siteOf(services, host);
  const driver = await services.driver(host.driver);
  for (const residue of await driver.findResidue(site, services.settings.installation)) {
    if (!(await isOrphan(services, residue))) continue;
    const move = await services.store.load('move', { id: residue.move });
    if (move === undefined) {
      services.log.warn('something of a move that is not known', { host: name, ...residue });
      continue;
    }
    const ledger = cleanupLedger(services.store, move);
    const recorded = (await ledger.list(name)).some(({ key }) => key === residue.item.key);
    if (!recorded) {
      await ledger.record(name, [residue.item]);
      continue;
    }
    try {
      await driver.removeResidue(site, residue);
    } catch (error) {
      if (!(error instanceof StepFailure) || error.verdict === 'host-down') throw error;
      // It keeps nothing else there: a slot behind it would fill the host's disk. The next sweep tries it again.
      services.log.warn('orphan could not be removed', { host: name, ...residue, why: error.message });
      continue;
    }
    await ledger.forget(name, [residue.item.key]);
    services.log.warn('orphan removed', { host: name, ...residue });
  }
}

/** Its move has ended, or has gone on to a later run. What is retained belongs to a move that has not. */
async function isOrphan({ store }: HostSweepServices, { move: id, run }: Residue): Promise<boolean> {
  const move = await store.load('move', { id });
  if (move === undefined) return true;
  const { status, run: current } = move.execution;
  if (run < current) return true;
  return isTerminal(status.state) && status.state !== 'stuck';
}
