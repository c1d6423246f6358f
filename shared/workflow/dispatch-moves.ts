import { blockersOf } from '../domain/blockers.ts';
import { endingId, type Batch } from '../domain/batch.ts';
import type { BatchId } from '../domain/ids.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from '../domain/move.ts';
import { isWantedAs } from '../domain/move-reasons.ts';
import { finishedBatch } from '../domain/news.ts';
import { isForWantOfTarget } from '../domain/planning/unplaced.ts';
import { placeOfBatch } from '../domain/trace.ts';
import type { DispatchMessage } from '../ports/bus.ts';
import { admitMoves, type AdmissionServices } from './admission/admit-moves.ts';
import { eachApart, loadReadable } from './each-apart.ts';
import { withJoinedEnded } from './joined-moves.ts';
import { moveIdOf, resolvedNames } from './planning/plan-batch.ts';
import type { Invocation, Services } from './services.ts';
import { tellBatch } from './life-spans.ts';
import { tellPeople } from './tell-people.ts';

export type DispatchServices = AdmissionServices & Pick<Services, 'blobs'>;

/**
 * Admits moves while permits are free, and closes batches in which nothing is left to do. The only place where
 * permits are given out. Wake-ups may be lost, doubled or late: each looks at everything there is.
 */
export async function dispatchMoves(
  services: DispatchServices,
  messages: readonly DispatchMessage[],
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  // It looks at everything there is, whoever has woken it: what it does about one thing is a part of that.
  await services.tracer.during({ name: 'dispatch', ifParts: true, facts: {} }, async () => {
    await admitMoves(services, invocation);
    const batches = new Set(messages.flatMap(({ batch }) => batch ?? []));
    await eachApart(services, [...batches], async (batch) => completeBatch(services, batch));
  });
}

/** Closes a batch once every one of its moves, read consistently, has arrived or been given up. */
async function completeBatch(services: DispatchServices, id: BatchId): Promise<void> {
  const batch = await services.store.load('batch', { id });
  if (batch?.state === 'running')
    await services.tracer.within(placeOfBatch(batch), async () => completeRunning(services, batch));
}

async function completeRunning(services: DispatchServices, batch: Batch): Promise<void> {
  const { id } = batch;
  const end = await endOf(services, batch);
  if (end === 'to-undo') await services.bus.sendPlan({ batch: id });
  if (end === 'open' || end === 'to-undo') return;
  const { moves, ...counts } = end;
  // Told first: whoever dies in between leaves the batch open, and it is told again under the same id.
  await services.bus.announce([
    {
      id: endingId(batch),
      type: 'batch.completed',
      subject: id,
      at: services.clock.now(),
      trace: placeOfBatch(batch),
      data: {
        batch: id,
        reason: batch.reason,
        counts: { ...counts.byLabel },
        quarantined: counts.quarantined,
        unmet: { ...unmet(moves), ...(batch.unmet === undefined ? {} : { failure: { ...batch.unmet } }) },
        ...(batch.cancelled === undefined
          ? {}
          : { cancelled: { ...batch.cancelled }, notUndone: notUndone(moves) }),
        ...(batch.failure === undefined ? {} : { failure: { ...batch.failure } }),
      },
    },
  ]);
  await tellPeople(services, finishedBatch(batch, counts.byLabel, blockersOf(moves, new Map())));
  const ended: Batch = {
    ...batch,
    state: 'completed',
    counts: counts.byLabel,
    ...(batch.cancelled === undefined ? {} : { total: counts.made }),
    endedAt: services.clock.now(),
  };
  const answer = await services.store.commit('batch', batch, ended);
  if (answer.kind === 'conflict') return;
  services.log.info('batch completed', { batch: id, ...counts });
  tellBatch(services, ended);
  services.meter.note('BatchesCompleted', 1);
}

/**
 * @returns `open` while a move is still under way; `to-undo` when a cancelled batch has one that has not been turned
 * round: a planner that was held up may have made it after all others were
 */
async function endOf(services: DispatchServices, batch: Batch): Promise<BatchEnd | 'open' | 'to-undo'> {
  const names = await resolvedNames(services, batch);
  const { moves, onTheirWay } = await withJoinedEnded(
    services,
    await loadReadable(
      services,
      'move',
      names.map((name) => ({ id: moveIdOf(services, batch, name) })),
    ),
  );
  const byLabel: Partial<Record<MoveLabel, number>> = {};
  let quarantined = 0;
  let made = 0;
  let isOpen = false;
  for (const move of moves) {
    // What was not planned when the batch was cancelled never will be.
    if (move === undefined && batch.cancelled !== undefined) continue;
    const label = labelOfMove(move);
    if (!isSettled(label)) {
      if (batch.cancelled === undefined) return 'open';
      isOpen = true;
      if (canTurnRound(move) && !onTheirWay.has(move.id)) return 'to-undo';
      continue;
    }
    byLabel[label] = (byLabel[label] ?? 0) + 1;
    if (isSetAside(move)) quarantined += 1;
    made += 1;
  }
  if (isOpen) return 'open';
  return {
    byLabel,
    quarantined,
    made,
    moves: moves.flatMap((move) => (move === undefined || move === 'unreadable' ? [] : [move])),
  };
}

/** Of the moves of a cancelled batch: those that had arrived, could only go forward, or are stuck. */
function notUndone(moves: readonly Move[]): { readonly count: number; readonly examples: readonly string[] } {
  const left = moves.filter(({ execution }) => labelOf(execution) !== 'rolled-back');
  return { count: left.length, examples: left.slice(0, fewExamples).map(({ endpoint }) => endpoint) };
}

/** Those that stayed where they were because no host might take them. */
function unmet(moves: readonly Move[]): { readonly count: number; readonly examples: readonly string[] } {
  const left = moves.filter(
    ({ execution: { status } }) => status.state === 'rolled-back' && isForWantOfTarget(status.reason),
  );
  return { count: left.length, examples: left.slice(0, fewExamples).map(({ endpoint }) => endpoint) };
}

const fewExamples = 10;

function canTurnRound(move: Move | 'unreadable' | undefined): move is Move {
  if (move === undefined || move === 'unreadable') return false;
  const { status } = move.execution;
  // What only others want any more goes on for them.
  if (move.joined === undefined && !isWantedAs(move, move.id)) return false;
  return status.state === 'waiting' || (status.state === 'running' && !status.forwardOnly);
}

interface BatchEnd {
  readonly byLabel: Readonly<Partial<Record<MoveLabel, number>>>;
  /** Of those that have not arrived: how many would fail in the same way again. */
  readonly quarantined: number;
  /** Those whose rows can be read. */
  readonly moves: readonly Move[];
  /** How many there are. */
  readonly made: number;
}

/** A move whose row cannot be read is set aside, and the batch goes on without it and says so. */
const labelOfMove = (move: Move | 'unreadable' | undefined): MoveLabel => {
  if (move === 'unreadable') return 'stuck';
  return move === undefined ? 'waiting' : labelOf(move.execution);
};

function isSetAside(move: Move | 'unreadable' | undefined): boolean {
  if (move === undefined || move === 'unreadable') return move === 'unreadable';
  const { status } = move.execution;
  return 'reason' in status && status.reason.quarantined === true;
}
