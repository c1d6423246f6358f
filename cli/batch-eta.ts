import type { Eta } from '../shared/domain/eta.ts';
import type { BatchSnapshot } from '../shared/workflow/explain/batch-snapshot.ts';
import { etaOfBatch } from '../shared/workflow/explain/eta-of-batch.ts';
import { showDuration } from './quantity.ts';

/** When the rest of a batch will have arrived, for programs, in seconds from now; null while it cannot be told. */
export function etaReport(snapshot: BatchSnapshot) {
  const eta = etaOfBatch(snapshot);
  if (eta === undefined) return null;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return { seconds: seconds(eta.ms), earliest: seconds(eta.earliestMs), latest: seconds(eta.latestMs) };
}

/** `about 4 min left (3 min 10 s to 7 min)`. */
export const etaText = ({ ms, earliestMs, latestMs }: Eta): string =>
  `about ${showDuration(ms)} left (${showDuration(earliestMs)} to ${showDuration(latestMs)})`;
