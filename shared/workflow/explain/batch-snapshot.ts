import type { Batch } from '../../domain/batch.ts';
import { gatesOf, type Closed, type GateScene } from '../../domain/gate.ts';
import type { Host } from '../../domain/host.ts';
import type { HostName } from '../../domain/ids.ts';
import type { Move, MoveLabel } from '../../domain/move.ts';
import { resultsOf, type MoveResults } from '../move-endpoint/results.ts';

/** A batch and its moves as they were at one moment. */
export interface BatchSnapshot {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly batch: Batch;
  /** By endpoint; complete once the batch is planned, but for those that are `unread`. */
  readonly moves: readonly Move[];
  /** How many more there are that were not looked at, by the state in which they are listed. */
  readonly unread?: Readonly<Partial<Record<MoveLabel, number>>>;
  /** Hosts of waiting moves, as far as they are known: they tell what is waited for. */
  readonly hosts?: ReadonlyMap<HostName, Host>;
  /** Whether everything is paused, and how its maintenance window stands. */
  readonly said?: Said;
}

/** What holds back all of a batch, beside what stands on its own row. */
export type Said = Pick<GateScene, 'fleet' | 'window'>;

/** What people and the clock hold back of a batch, as it was at the moment of a look. */
export const gatesIn = ({
  at,
  batch,
  hosts = new Map(),
  said = { fleet: {} },
}: BatchSnapshot): ((move: Move) => Closed | undefined) => gatesOf({ ...said, batch }, hosts, at);

export const isArrived = (label: MoveLabel | undefined): boolean => label === 'moved' || label === 'retired';

/** Milliseconds that its writers had to wait; undefined until it has arrived. */
export const pauseOf = (move: Move): number | undefined => readResults(move).activate?.pauseMs;

/** Bytes of its data, as preflight has found them; 0 until then. */
export const sizeOf = (move: Move): number => readResults(move).preflight?.sizeBytes ?? 0;

const read = new WeakMap<Move, MoveResults>();

/** Read once for each move as it was: a batch of thousands is looked at several times a second. */
function readResults(move: Move): MoveResults {
  const known = read.get(move) ?? resultsOf(move);
  read.set(move, known);
  return known;
}
