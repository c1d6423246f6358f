import { blockersOf } from '../domain/blockers.ts';
import type { Batch } from '../domain/batch.ts';
import type { BatchId } from '../domain/ids.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from '../domain/move.ts';
import { finishedBatch } from '../domain/news.ts';
import type { DispatchMessage } from '../ports/bus.ts';
import { admitMoves } from './admission/admit-moves.ts';
import { eachApart, loadReadable } from './each-apart.ts';
import { moveIdOf, resolvedNames } from './planning/plan-batch.ts';
import type { Invocation, Services } from './services.ts';
import { tellPeople } from './tell-people.ts';

export type DispatchServices = Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'meter' | 'settings'
>;

/**
 * Admits moves while permits are free, and closes batches in which nothing is left to do. The only place where
 * permits are given out. Wake-ups may be lost, doubled or late: each looks at everything there is.
 */
export async function dispatchMoves(
  services: DispatchServices,
  messages: readonly DispatchMessage[],
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  await admitMoves(services, invocation);
  const batches = new Set(messages.flatMap(({ batch }) => batch ?? []));
  await eachApart(services, [...batches], async (batch) => completeBatch(services, batch));
}

/** Closes a batch once every one of its moves, read consistently, has arrived or been given up. */
async function completeBatch(services: DispatchServices, id: BatchId): Promise<void> {
  const batch = await services.store.load('batch', { id });
  if (batch?.state !== 'running') return;
  const end = await endOf(services, batch);
  if (end === undefined) return;
  const { moves, ...counts } = end;
  // Told first: whoever dies in between leaves the batch open, and it is told again under the same id.
  await services.bus.announce([
    {
      id: `${id}:completed`,
      type: 'batch.completed',
      subject: id,
      at: services.clock.now(),
      data: {
        batch: id,
        reason: batch.reason,
        counts: { ...counts.byLabel },
        quarantined: counts.quarantined,
        ...(batch.failure === undefined ? {} : { failure: { ...batch.failure } }),
      },
    },
  ]);
  await tellPeople(services, finishedBatch(batch, counts.byLabel, blockersOf(moves, new Map())));
  const ended: Batch = {
    ...batch,
    state: 'completed',
    counts: counts.byLabel,
    endedAt: services.clock.now(),
  };
  const answer = await services.store.commit('batch', batch, ended);
  if (answer.kind === 'committed') services.log.info('batch completed', { batch: id, ...counts });
}

/** @returns undefined while a move is still under way */
async function endOf(services: DispatchServices, batch: Batch): Promise<BatchEnd | undefined> {
  const names = await resolvedNames(services, batch);
  const moves = await loadReadable(
    services,
    'move',
    names.map((name) => ({ id: moveIdOf(services, batch, name) })),
  );
  const byLabel: Partial<Record<MoveLabel, number>> = {};
  let quarantined = 0;
  for (const move of moves) {
    const label = labelOfMove(move);
    if (!isSettled(label)) return undefined;
    byLabel[label] = (byLabel[label] ?? 0) + 1;
    if (isSetAside(move)) quarantined += 1;
  }
  return {
    byLabel,
    quarantined,
    moves: moves.flatMap((move) => (move === undefined || move === 'unreadable' ? [] : [move])),
  };
}

interface BatchEnd {
  readonly byLabel: Readonly<Partial<Record<MoveLabel, number>>>;
  /** Of those that have not arrived: how many would fail in the same way again. */
  readonly quarantined: number;
  /** Those whose rows can be read. */
  readonly moves: readonly Move[];
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
