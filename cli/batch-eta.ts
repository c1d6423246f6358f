import { etaOf, type Eta, type Paced } from '../shared/domain/eta.ts';
import { isGateCode, type Closed } from '../shared/domain/gate.ts';
import { labelOf, type Move } from '../shared/domain/move.ts';
import { isArrived, sizeOf, type BatchSnapshot } from './batch-report.ts';
import { gatesIn } from './gates-in.ts';
import { showDuration } from './quantity.ts';

/** When the rest of a batch will have arrived, as far as it can go on; undefined while that cannot be told. */
export function etaOfBatch(snapshot: BatchSnapshot): Eta | undefined {
  const { batch, moves, at } = snapshot;
  if (batch.state === 'completed') return undefined;
  const gateOf = gatesIn(snapshot);
  return etaOf(moves.flatMap((move) => (isHeldBack(move, gateOf(move)) ? [] : paced(move, at))));
}

/** What waits, or will before its cutover, for a word or the clock. What stands in its cutover and does not wait goes through. */
const isHeldBack = ({ execution }: Move, gate: Closed | undefined): boolean =>
  gate !== undefined && ['waiting', 'transferring'].includes(labelOf(execution));

function paced(move: Move, at: number): Paced[] {
  const { status, timings, last } = move.execution;
  const label = labelOf(move.execution);
  const bytes = sizeOf(move);
  const known = bytes === 0 ? {} : { bytes };
  const finished = Object.entries(timings).reduce((sum, [step, ms]) => sum + (step === 'retire' ? 0 : ms), 0);
  // One that came without work of ours has measured nothing.
  if (isArrived(label)) return finished === 0 ? [] : [{ state: 'arrived', ...known, workedMs: finished }];
  if (status.state === 'waiting')
    return isGateCode(status.waiting.code) ? [] : [{ state: 'to-come', ...known, workedMs: 0 }];
  // What a person or the clock holds back, or a host that is down: nobody knows when that ends.
  if (status.state !== 'running' || status.hinderedSince !== undefined) return [];
  if (status.waiting !== undefined && isGateCode(status.waiting.code)) return [];
  const now = status.lease === undefined ? 0 : Math.max(0, at - last.at);
  return [{ state: 'under-way', ...known, workedMs: finished + status.spentMs + now }];
}

/** The same for programs, in seconds from now; null while it cannot be told. */
export function etaReport(snapshot: BatchSnapshot) {
  const eta = etaOfBatch(snapshot);
  if (eta === undefined) return null;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return { seconds: seconds(eta.ms), earliest: seconds(eta.earliestMs), latest: seconds(eta.latestMs) };
}

/** `about 4 min left (3 min 10 s to 7 min)`. */
export const etaText = ({ ms, earliestMs, latestMs }: Eta): string =>
  `about ${showDuration(ms)} left (${showDuration(earliestMs)} to ${showDuration(latestMs)})`;
