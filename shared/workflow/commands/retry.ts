import type { Batch, Pair } from '../../domain/batch.ts';
import type { Command } from '../../domain/command.ts';
import type { EventHead } from '../../domain/event.ts';
import type { Hold } from '../../domain/pause.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { labelOf, type Move } from '../../domain/move.ts';
import type { BatchPolicy } from '../../domain/policy.ts';
import { loadReadable } from '../each-apart.ts';
import { openBatch, type OpenServices } from '../requests/open-batch.ts';
import { Refused } from '../requests/record-request.ts';
import type { Services } from '../services.ts';
import { knownBatch, knownMove } from './subjects.ts';
import { tellMove, type TellServices } from './tell-move.ts';

export type RetryServices = TellServices & OpenServices & Pick<Services, 'views' | 'log'>;

/**
 * Tries again what has not arrived. What was rolled back is asked for anew: a batch of its own, planned on the fleet
 * as it is now, with moves that share nothing with the old ones. What is stuck goes on where it gave up, in its
 * direction, with nothing counted against it.
 *
 * @returns the new batch, if there is one
 * @throws Refused when nothing of it can be tried again
 */
export async function retry(
  services: RetryServices,
  head: EventHead,
  { subject, reason }: Command,
  by: Hold,
): Promise<BatchId | undefined> {
  if (subject.kind === 'batch') return retryBatch(services, head, subject.batch, { reason, by });
  return subject.kind === 'move' ? retryMove(services, head, subject.move, { reason, by }) : undefined;
}

interface Wish {
  readonly reason: string;
  readonly by: Hold;
}

async function retryMove(
  services: RetryServices,
  head: EventHead,
  id: MoveId,
  { reason, by }: Wish,
): Promise<BatchId | undefined> {
  const move = await knownMove(services, id);
  const label = labelOf(move.execution);
  switch (label) {
    case 'stuck':
      await goOn(services, move, { reason, by });
      return undefined;
    case 'rolled-back': {
      const [pair] = await stillThere(services, [move]);
      if (pair === undefined) throw await gone(services, move);
      const { policy, priority } = await knownBatch(services, move.batch);
      return openBatch(services, head, {
        reason: `retry of ${id}: ${reason}`,
        policy: withoutStart(policy),
        priority,
        selection: { kind: 'pairs', pairs: [pair] },
      });
    }
    case 'moved':
    case 'retired':
      throw new Refused({
        code: 'move-arrived',
        field: 'data.move',
        sentence: `move ${id} has arrived`,
        cure: `nothing to do; to undo it: dray move reverse ${id} --reason …`,
      });
    case 'waiting':
    case 'transferring':
    case 'cutting-over':
    case 'rolling-back':
      throw new Refused({
        code: 'move-under-way',
        field: 'data.move',
        sentence: `move ${id} is ${label}: it has not ended yet`,
        cure: `see what it does and what it waits for: dray explain ${id}`,
      });
    default:
      return label satisfies never;
  }
}

async function retryBatch(
  services: RetryServices,
  head: EventHead,
  id: BatchId,
  { reason, by }: Wish,
): Promise<BatchId | undefined> {
  const { policy, priority } = await knownBatch(services, id);
  const stuck = await movesOf(services, id, 'stuck');
  for (const move of stuck) await goOn(services, move, { reason, by });
  const pairs = await stillThere(services, await movesOf(services, id, 'rolled-back'));
  if (pairs.length > 0) {
    return openBatch(services, head, {
      reason: `retry of ${id}: ${reason}`,
      policy: withoutStart(policy),
      priority,
      selection: { kind: 'pairs', pairs },
    });
  }
  if (stuck.length > 0) return undefined;
  throw new Refused({
    code: 'nothing-to-retry',
    field: 'data.batch',
    sentence: `nothing of batch ${id} has failed and is still where it was`,
    cure: `see what became of its moves: dray batch show ${id}`,
  });
}

/** The index proposes; how each of them stands is read. */
async function movesOf(
  services: RetryServices,
  batch: BatchId,
  label: 'stuck' | 'rolled-back',
): Promise<Move[]> {
  const found: Move[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.movesOf(batch, label, cursor);
    const moves = await loadReadable(
      services,
      'move',
      page.items.map(({ id }) => ({ id })),
    );
    for (const move of moves)
      if (move !== undefined && move !== 'unreadable' && labelOf(move.execution) === label) found.push(move);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Its batch runs again: it has an end to come to, can be paused and cancelled, and counts anew. */
async function goOn(services: RetryServices, { id, batch }: Move, { reason, by }: Wish): Promise<void> {
  await reopen(services, batch);
  await tellMove(services, id, () => ({ kind: 'retried', note: reason }), by.by);
}

/** Before the move is told: were it after, its change might be counted while the batch counts nothing. */
async function reopen({ store }: Pick<Services, 'store'>, id: BatchId): Promise<void> {
  for (;;) {
    const batch = await store.load('batch', { id });
    if (batch?.state !== 'completed') return;
    const { endedAt: _, ...rest } = batch;
    const again: Batch = { ...rest, state: 'running', reopened: (batch.reopened ?? 0) + 1 };
    if ((await store.commit('batch', batch, again)).kind === 'committed') return;
  }
}

/** Of these moves: whose endpoint is where it was and nobody's, and where it was to go. */
async function stillThere(
  { store }: Pick<Services, 'store'>,
  moves: readonly Move[],
): Promise<readonly Pair[]> {
  const placements = await store.loadMany(
    'endpoint',
    moves.map(({ endpoint }) => ({ endpoint })),
  );
  return moves.flatMap(({ endpoint, source, target }, index) => {
    const placement = placements[index];
    if (placement?.host !== source || placement.claim !== undefined) return [];
    // One that found no target stands with its source as such.
    return [target === source ? { endpoint } : { endpoint, target }];
  });
}

async function gone({ store }: Pick<Services, 'store'>, { id, endpoint, source }: Move): Promise<Refused> {
  const placement = await store.load('endpoint', { endpoint });
  const mover = placement?.claim?.move;
  return mover === undefined
    ? new Refused({
        code: 'move-overtaken',
        field: 'data.move',
        sentence: `${endpoint} is not on ${source} any more, from where move ${id} was to take it`,
        cure: `see where it is now: dray endpoint show ${endpoint}`,
      })
    : new Refused({
        code: 'endpoint-moving',
        field: 'data.move',
        sentence: `${endpoint} is being moved already, by ${mover}`,
        cure: `wait for it: dray move show ${mover}`,
      });
}

/** Whoever tries again wants it now; an approval, and holds before cutovers, are asked for again. */
function withoutStart({ start: _start, startAt: _startAt, ...policy }: BatchPolicy): BatchPolicy {
  return policy;
}
