import type { HostName } from '../../domain/ids.ts';
import { isTerminal } from '../../domain/execution.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Move } from '../../domain/move.ts';
import type { HostDriver, Residue } from '../../ports/driver.ts';
import { loadHost, siteOf } from '../host-site.ts';
import { cleanupLedger } from '../move-endpoint/cleanup-ledger.ts';
import type { Services } from '../services.ts';

export interface HostSweepServices extends Pick<
  Services,
  'store' | 'views' | 'secrets' | 'clock' | 'log' | 'meter'
> {
  readonly settings: Pick<Services['settings'], 'installation' | 'hostNetworks'>;
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<Pick<HostDriver, 'findResidue' | 'removeResidue'>>;
}

/** One message per host, so that a host that hangs holds up its own sweep only. */
export async function fanOutHostSweep({
  views,
  bus,
  meter,
}: Pick<Services, 'views' | 'bus' | 'meter'>): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await views.hosts(cursor);
    await Promise.all(page.items.map((host) => bus.sendHostSweep(host)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  meter.note('SweepRuns', 1, { sweep: 'hosts' });
}

/**
 * Removes from a host what ended moves have left there. A thing goes when its move has ended and it stands in
 * a cleanup record; what no record knows is recorded now and goes with the next sweep, if it still looks the
 * same then.
 */
export async function sweepHost(services: HostSweepServices, name: HostName): Promise<void> {
  const host = await loadHost(services, name);
  // It was taken away: nobody is there to ask.
  if (host.intent.value === 'retired') return;
  const site = await siteOf(services, host);
  const driver = await services.driver(host.driver);
  const found = await driver.findResidue(site, services.settings.installation);
  tellOfRetained(services, name, found);
  for (const residue of found) {
    if (!(await isOrphan(services, residue))) continue;
    const move = await services.store.load('move', { id: residue.move });
    if (move === undefined) {
      services.log.warn('something of a move that is not known', { host: name, ...residue });
      continue;
    }
    const about = { host: name, batch: move.batch, endpoint: move.endpoint, ...residue };
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
      services.log.warn('orphan could not be removed', { ...about, why: error.message });
      continue;
    }
    await ledger.forget(name, [residue.item.key]);
    services.log.warn('orphan removed', about);
    services.meter.note('OrphansRemoved', 1);
  }
  await forgetWhatIsGone(services, name, found);
  services.meter.note('SweepRuns', 1, { sweep: 'host' });
}

/**
 * What slots of ours make the host keep: nothing is told of a host by its name that keeps nothing, for whoever keeps
 * figures is paid for each series.
 */
function tellOfRetained({ meter }: Pick<Services, 'meter'>, host: HostName, found: readonly Residue[]): void {
  const most = found.reduce((bytes, { retainedBytes = 0 }) => Math.max(bytes, retainedBytes), 0);
  meter.note('RetainedWalBytes', most, ...(most > 0 ? [{ host }, {}] : [{}]));
}

/**
 * Records of moves that ended long ago, of things that are not there: a worker that was stopped, and went on
 * after the move had ended, has written them.
 */
async function forgetWhatIsGone(
  services: HostSweepServices,
  name: HostName,
  found: readonly Residue[],
): Promise<void> {
  const { store, views, clock, log } = services;
  let cursor: string | undefined;
  do {
    const page = await views.cleanupsOn(name, cursor);
    for (const { move: id, run } of page.items) {
      const move = await store.load('move', { id });
      if (move === undefined || !hasLongEnded(move, run, clock.now())) continue;
      const there = new Set(found.filter((each) => each.move === id).map(({ item }) => item.key));
      const ledger = cleanupLedger(store, move);
      const gone = (await ledger.list(name)).map(({ key }) => key).filter((key) => !there.has(key));
      if (gone.length === 0) continue;
      await ledger.forget(name, gone);
      log.warn('records of what is gone are forgotten', { host: name, move: id, gone });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** No worker lives longer than this: whoever has recorded something has made it by now, or never will. */
const longestLifeMs = 20 * 60_000;

function hasLongEnded({ execution }: Move, run: number, now: number): boolean {
  const { status } = execution;
  const hasEnded = status.state === 'completed' || status.state === 'rolled-back';
  return run === execution.run && hasEnded && now - status.endedAt > longestLifeMs;
}

/** Its move has ended, or has gone on to a later run. What is retained belongs to a move that has not. */
async function isOrphan({ store }: HostSweepServices, residue: Residue): Promise<boolean> {
  const move = await store.load('move', { id: residue.move });
  return move === undefined || isLeftBehind(move, residue);
}

/** Its move has ended, or has gone on to a later run. */
export function isLeftBehind(move: Move, { run }: Pick<Residue, 'run'>): boolean {
  const { status, run: current } = move.execution;
  if (run < current) return true;
  return isTerminal(status.state) && status.state !== 'stuck';
}
