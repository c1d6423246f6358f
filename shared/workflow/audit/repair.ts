import type { Difference, Repair } from '../../domain/audit/scene.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { HostName } from '../../domain/ids.ts';
import { StoreUnavailable } from '../../ports/failures.ts';
import { loadHost, siteOf } from '../host-site.ts';
import { sweepHost, type HostSweepServices } from '../sweep/sweep-host.ts';

export type Repaired =
  | { readonly outcome: 'repaired' }
  /** Nothing was changed, and why. */
  | { readonly outcome: 'refused'; readonly why: string };

/**
 * Puts right what can safely be put right, one difference after the other; of several by which one host is to be swept
 * the first does it for all. Whatever has changed since the audit is left as it is, and what fails ends nothing else.
 */
export async function repairAll(
  services: HostSweepServices,
  differences: readonly Difference[],
): Promise<readonly Repaired[]> {
  const swept: Swept = new Map();
  const results: Repaired[] = [];
  for (const { repair, cure } of differences) {
    if (repair === undefined) {
      results.push({ outcome: 'refused', why: `only a person can tell what is right: ${cure}` });
    } else {
      results.push(await attempt(services, repair, swept));
    }
  }
  return results;
}

/** What is still on a host after it was swept. */
type Swept = Map<HostName, ReadonlySet<string>>;

async function attempt(services: HostSweepServices, repair: Repair, swept: Swept): Promise<Repaired> {
  try {
    return await carryOut(services, repair, swept);
  } catch (error) {
    if (error instanceof StoreUnavailable)
      return { outcome: 'refused', why: `the table did not answer (${error.message}); audit again` };
    if (!(error instanceof StepFailure)) throw error;
    return { outcome: 'refused', why: `${error.failure.sentence}; ${error.failure.cure}` };
  }
}

async function carryOut(services: HostSweepServices, repair: Repair, swept: Swept): Promise<Repaired> {
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
    case 'sweep': {
      const left = swept.get(repair.host) ?? (await sweep(services, repair.host));
      swept.set(repair.host, left);
      if (!left.has(repair.key)) return { outcome: 'repaired' };
      return {
        outcome: 'refused',
        why: 'it is still there: what a sweep sees for the first time goes with the next one; audit again',
      };
    }
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

async function sweep(services: HostSweepServices, name: HostName): Promise<ReadonlySet<string>> {
  await sweepHost(services, name);
  const host = await loadHost(services, name);
  const driver = await services.driver(host.driver);
  const left = await driver.findResidue(await siteOf(services, host), services.settings.installation);
  return new Set(left.map(({ item }) => item.key));
}
