import type { Cloud } from '../local/cloud.ts';
import type { Batch } from '../shared/domain/batch.ts';
import { movedOf } from './fleet-course.ts';
import { eventually, type FleetOperator } from './fleet-operator.ts';

/** How the batch stood when a release was deployed in place of another. */
export interface Exchange {
  readonly moved: number;
  readonly underWay: number;
}

/** Folders with sources. */
export interface Releases {
  readonly before: string;
  readonly other: string;
}

/**
 * Deploys another release once a quarter of a batch has moved, and takes it back once half of it has: an upgrade, and
 * its rollback, while moves are in flight. @throws FleetFailed
 */
export async function exchangeReleases(
  cloud: Cloud,
  operator: FleetOperator,
  request: string,
  { before, other }: Releases,
  patienceMs: number,
  say: (line: string) => void,
): Promise<readonly Exchange[]> {
  const { id } = await operator.batchOf(request, patienceMs);
  const exchanges: Exchange[] = [];
  for (const [share, root] of [
    [0.25, other],
    [0.5, before],
  ] as const) {
    const batch = await eventually(`a share of ${String(share)} of the batch`, patienceMs, async () => {
      const now = await operator.store.load('batch', { id });
      if (now?.total === undefined) return undefined;
      const { moved, underWay } = standingOf(now);
      const isDue = moved >= now.total * share && underWay > 0;
      // One that comes too late is told as what it is.
      return isDue || now.state === 'completed' ? now : undefined;
    });
    const changed = await cloud.deploy(root);
    exchanges.push(standingOf(batch));
    say(`  ${String(changed.length)} functions are of ${root} now: ${JSON.stringify(exchanges.at(-1))}`);
  }
  return exchanges;
}

function standingOf(batch: Batch): Exchange {
  const { transferring = 0, 'cutting-over': cuttingOver = 0, 'rolling-back': rollingBack = 0 } = batch.counts;
  return { moved: movedOf(batch), underWay: transferring + cuttingOver + rollingBack };
}
