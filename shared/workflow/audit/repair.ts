import type { Difference, Repair } from '../../domain/audit.ts';
import { StepFailure } from '../../domain/failure.ts';
import { loadHost, siteOf } from '../host-site.ts';
import { sweepHost, type HostSweepServices } from '../sweep/sweep-host.ts';

export type Repaired =
  | { readonly outcome: 'repaired' }
  /** Nothing was changed, and why. */
  | { readonly outcome: 'refused'; readonly why: string };

/**
 * Puts right what can safely be put right, one difference after the other; of several by which one host is to be swept
 * the first does it for all. Whatever has changed since the audit is left as it is.
 *
 * @throws StoreUnavailable
 */
export async function repairAll(
  services: HostSweepServices,
  differences: readonly Difference[],
): Promise<readonly Repaired[]> {
  const swept = new Set<string>();
  const results: Repaired[] = [];
  for (const { repair, cure } of differences) {
    if (repair === undefined) {
      results.push({ outcome: 'refused', why: `only a person can tell what is right: ${cure}` });
    } else if (repair.kind === 'sweep' && swept.has(repair.host)) {
      results.push({ outcome: 'repaired' });
    } else {
      if (repair.kind === 'sweep') swept.add(repair.host);
      results.push(await attempt(services, repair));
    }
  }
  return results;
}

async function attempt(services: HostSweepServices, repair: Repair): Promise<Repaired> {
  try {
    return await carryOut(services, repair);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return { outcome: 'refused', why: `${error.failure.sentence}; ${error.failure.cure}` };
  }
}

async function carryOut(services: HostSweepServices, repair: Repair): Promise<Repaired> {
  switch (repair.kind) {
    case 'place': {
      // On the version that was read before any host was asked.
      const answer = await services.store.commitAlone('endpoint', repair.before, repair.after);
      if (answer.kind === 'committed') return { outcome: 'repaired' };
      const why =
        answer.kind === 'unknown'
          ? 'the table did not answer: it may have been written'
          : 'it was written by somebody else meanwhile';
      return { outcome: 'refused', why: `${why}; audit again` };
    }
    case 'sweep':
      await sweepHost(services, repair.host);
      return { outcome: 'repaired' };
    case 'remove': {
      const { host: name, move, run, item } = repair.leftover;
      if ((await services.store.load('move', { id: move })) !== undefined)
        return { outcome: 'refused', why: 'its move is known by now; audit again' };
      const host = await loadHost(services, name);
      const driver = await services.driver(host.driver);
      await driver.removeResidue(await siteOf(services, host), { move, run, item });
      return { outcome: 'repaired' };
    }
    default:
      return repair satisfies never;
  }
}
