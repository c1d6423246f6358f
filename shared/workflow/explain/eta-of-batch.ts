import { etaOf, type Eta, type Paced } from '../../domain/eta.ts';
import { isGateCode, type Closed } from '../../domain/gate.ts';
import { labelOf, type Move } from '../../domain/move.ts';
import { gatesIn, isArrived, sizeOf, type BatchSnapshot } from './batch-snapshot.ts';

/** When the rest of a batch will have arrived, as far as it can go on; undefined while that cannot be told. */
export function etaOfBatch(snapshot: BatchSnapshot): Eta | undefined {
  const { batch, moves, at } = snapshot;
  if (batch.state === 'completed') return undefined;
  const gateOf = gatesIn(snapshot);
  const known = moves.flatMap((move) => (isHeldBack(move, gateOf(move)) ? [] : paced(move, at)));
  return etaOf([...known, ...unreadIn(snapshot, known)]);
}

/** Those that wait and were not looked at: as large a part of them can go on as of those that were. */
function unreadIn({ moves, unread = {} }: BatchSnapshot, known: readonly Paced[]): Paced[] {
  const { waiting = 0 } = unread;
  const seen = moves.filter(({ execution }) => execution.status.state === 'waiting').length;
  const able = known.filter(({ state }) => state === 'to-come').length;
  const many = seen === 0 ? 0 : Math.round((waiting * able) / seen);
  return Array.from({ length: many }, (): Paced => ({ state: 'to-come', workedMs: 0 }));
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
