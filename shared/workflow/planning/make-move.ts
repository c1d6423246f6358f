import type { Batch } from '../../domain/batch.ts';
import type { Failure } from '../../domain/failure.ts';
import type { MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import { movePolicyOf } from '../../domain/policy.ts';
import { arbitrateAsSeen, mustArbitrate, silent, type Arbitrated } from '../arbiter.ts';
import type { Services } from '../services.ts';
import type { Heading } from './course.ts';

type MakeServices = Pick<Services, 'store' | 'permits' | 'clock'>;

/**
 * Of several planners of one page all make the same move. The endpoint is claimed as it was seen before the move
 * was looked for: a planner that was held up cannot claim it for a move that has come and gone meanwhile.
 */
export async function makeMove(
  services: MakeServices,
  batch: Batch,
  id: MoveId,
  placement: Placement,
  heading: Heading,
): Promise<'planned' | 'changed'> {
  const { store } = services;
  const { endpoint } = placement;
  let move = await store.load('move', { id });
  if (move === undefined) {
    const claimed = await arbitrateAsSeen(services, placement, { kind: 'claim', move: id });
    if (claimed.kind === 'changed') return 'changed';
    if (claimed.kind === 'unknown') throw silent(endpoint, { kind: 'claim', move: id });
    const made = await firstVersion(services, batch, id, claimed, heading);
    move = (await store.insert('move', made)) === 'inserted' ? made : await store.load('move', { id });
    // Another planner of this page has seen the fleet otherwise, and was faster.
    if (move !== undefined && move.target !== made.target) await services.permits.unreserve(made.target, id);
  }
  // Whoever finds that it will not be moved, or has been, lets it go: who should have may have died before.
  if (move !== undefined && hasEnded(move))
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
  heading: Heading,
): Promise<Move> {
  const { endpoint, claim } = claimed.placement;
  if (claimed.kind === 'refused' || claim === undefined) {
    const failure = {
      code: 'endpoint-moving',
      sentence: `${endpoint} could not be had: ${claimed.kind === 'refused' ? claimed.why : 'its claim is gone'}`,
      cure: 'wait for the other move to end, then ask again',
    };
    return notMoved(services, batch, id, claimed.placement, failure);
  }
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
    createdAt: services.clock.now(),
    version: 1,
  };
}
