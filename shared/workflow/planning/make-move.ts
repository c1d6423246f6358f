import type { Batch } from '../../domain/batch.ts';
import type { Failure } from '../../domain/failure.ts';
import type { MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import { movePolicyOf } from '../../domain/policy.ts';
import { arbitrateAsSeen, mustArbitrate, silent, type Arbitrated } from '../arbiter.ts';
import type { Services } from '../services.ts';
import type { Asked } from './course.ts';
import { joinMove, type Joined } from './join-move.ts';

type MakeServices = Pick<Services, 'store' | 'permits' | 'clock'> & Partial<Pick<Services, 'log'>>;

/**
 * Of several planners of one page all make the same move. An endpoint that another batch moves already is joined to that
 * move, where it is what this batch asks for. The endpoint is claimed as it was seen before the move
 * was looked for: a planner that was held up cannot claim it for a move that has come and gone meanwhile.
 */
export async function makeMove(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  placement: Placement,
  asked: Asked,
): Promise<'planned' | 'changed'> {
  const { store } = services;
  const { endpoint } = placement;
  let move = await store.load('move', { id });
  if (move === undefined) {
    const claimed = await arbitrateAsSeen(services, placement, { kind: 'claim', move: id });
    if (claimed.kind === 'changed') return 'changed';
    if (claimed.kind === 'unknown') throw silent(endpoint, { kind: 'claim', move: id });
    const made = await firstVersion(services, batch, id, claimed, asked);
    move = (await store.insert('move', made)) === 'inserted' ? made : await store.load('move', { id });
    // Another planner of this page has seen the fleet otherwise, and was faster.
    if (move !== undefined && move.target !== made.target) await services.permits.unreserve(made.target, id);
  }
  // Whoever finds that it will not be moved, or has been, lets it go: who should have may have died before.
  if (move !== undefined && (move.joined !== undefined || hasEnded(move)))
    await mustArbitrate(services, endpoint, { kind: 'release', move: id });
  return 'planned';
}

const hasEnded = ({ execution: { status } }: Move): boolean =>
  status.state === 'completed' || status.state === 'rolled-back';

async function firstVersion(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  claimed: Extract<Arbitrated, { readonly kind: 'ruled' | 'refused' }>,
  { heading, ...asked }: Asked,
): Promise<Move> {
  const { claim } = claimed.placement;
  if (claimed.kind === 'refused' || claim === undefined)
    return movedByAnother(services, batch, id, claimed, asked);
  if (heading.kind === 'none') return notMoved(services, batch, id, claimed.placement, heading.failure);
  await services.permits.reserve(heading.host, id, claimed.placement.sizeBytes);
  const now = services.clock.now();
  return {
    ...skeleton(services, batch, id, claimed.placement),
    target: heading.host,
    why: heading.why,
    execution: {
      workflow: 'move-endpoint',
      run: 1,
      token: claim.firstToken,
      status: {
        state: 'waiting',
        waiting: {
          code: 'permit',
          on: `a permit on ${claimed.placement.host} and ${heading.host}`,
          since: now,
        },
        dueAt: now,
      },
      results: {},
      timings: {},
      last: { fact: 'planned', at: now, by: 'plan-batch' },
    },
  };
}

/** Another batch has it: its move is joined, or says why it is not what is asked for. */
async function movedByAnother(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  { kind, placement, ...rest }: Extract<Arbitrated, { readonly kind: 'ruled' | 'refused' }>,
  { wanted, mayJoin }: Omit<Asked, 'heading'>,
): Promise<Move> {
  const { endpoint, claim, host: source } = placement;
  const joined: Joined =
    claim === undefined || !mayJoin
      ? { kind: 'unfit' }
      : await joinMove(services, batch, id, claim.move, { source, wanted, policy: batch.policy });
  if (joined.kind === 'joined') return carriedBy(services, batch, id, placement, joined.move);
  const why = kind === 'refused' && 'why' in rest ? rest.why : 'its claim is gone';
  return notMoved(services, batch, id, placement, {
    code: 'endpoint-moving',
    sentence: `${endpoint} could not be had: ${why}${joined.why === undefined ? '' : `, ${joined.why}`}`,
    cure: 'wait for the other move to end, then ask again',
  });
}

/** It has nothing of its own to do: its end is that of the other batch's move. */
function carriedBy(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  placement: Placement,
  { id: carrier, batch: of, target }: Move,
): Move {
  const now = services.clock.now();
  return {
    ...skeleton(services, batch, id, placement),
    target,
    why: `${carrier} of batch ${of} takes it there`,
    joined: { move: carrier, batch: of },
    execution: {
      workflow: 'move-endpoint',
      run: 1,
      token: 0,
      status: {
        state: 'waiting',
        waiting: {
          code: 'joined',
          on: `move ${carrier} of batch ${of}, which takes it to ${target}`,
          since: now,
        },
        dueAt: now,
        carried: true,
      },
      results: {},
      timings: {},
      last: { fact: 'joined', at: now, by: 'plan-batch' },
    },
  };
}

/** It stays where it is, and says why. */
function notMoved(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  placement: Placement,
  reason: Failure,
): Move {
  const now = services.clock.now();
  return {
    ...skeleton(services, batch, id, placement),
    target: placement.host,
    why: reason.sentence,
    execution: {
      workflow: 'move-endpoint',
      run: 1,
      token: 0,
      status: { state: 'rolled-back', endedAt: now, reason },
      results: {},
      timings: {},
      last: { fact: 'planned', at: now, by: 'plan-batch' },
    },
  };
}

function skeleton(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  placement: Placement,
): Omit<Move, 'target' | 'why' | 'execution'> {
  return {
    id,
    batch: batch.id,
    endpoint: placement.endpoint,
    driver: placement.driver,
    database: placement.database,
    source: placement.host,
    epoch: placement.epoch,
    policy: movePolicyOf(batch.policy),
    priority: batch.priority,
    ...(batch.traceparent === undefined ? {} : { traceparent: batch.traceparent }),
    createdAt: services.clock.now(),
    version: 1,
  };
}
