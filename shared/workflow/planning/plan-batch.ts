import * as z from 'zod';
import type { Batch } from '../../domain/batch.ts';
import { chooseTarget, type Choice, type Occupied } from '../../domain/choose-target.ts';
import { StepFailure, type Failure } from '../../domain/failure.ts';
import {
  isEndpointName,
  moveIdFrom,
  type BatchId,
  type EndpointName,
  type HostName,
} from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { PlanMessage } from '../../ports/bus.ts';
import { arbitrateAsSeen, mustArbitrate, silent, type Arbitrated } from '../arbiter.ts';
import type { Invocation, Services } from '../services.ts';
import { loadFleet } from './fleet.ts';
import { readSelection, resolveSelection, targetsOf } from './selection.ts';

export type PlanServices = Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log'
>;

/** Endpoints between two records of how far planning has come. */
const pageSize = 25;

/**
 * Makes one move per selected endpoint, page by page: what one invocation has not done, the next goes on with.
 * Every id is derived, so that a page that is planned again makes the same moves.
 */
export async function planBatch(
  services: PlanServices,
  message: PlanMessage,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  const found = await services.store.load('batch', { id: message.batch });
  if (found?.state !== 'planning') return;
  const begun = await readOrEnd(services, found);
  if (begun === undefined) return;
  const { names, targetOf } = begun;
  let { batch } = begun;
  const fleet = await loadFleet(services);
  while (batch.planned < names.length) {
    if (invocation.remainingMs() <= 0) {
      await services.bus.sendPlan({ batch: batch.id });
      return;
    }
    const page = names.slice(batch.planned, batch.planned + pageSize);
    if (!(await planPage(services, batch, page, fleet, targetOf))) {
      await services.bus.sendPlan({ batch: batch.id }, 1_000);
      return;
    }
    const answer = await services.store.commit('batch', batch, {
      ...batch,
      planned: batch.planned + page.length,
    });
    if (answer.kind === 'conflict') return;
    batch = answer.record;
    await services.bus.sendDispatch({});
  }
  await services.store.commit('batch', batch, { ...batch, state: 'running' });
  await services.bus.sendDispatch({ batch: batch.id });
}

interface Begun {
  readonly batch: Batch;
  readonly names: readonly EndpointName[];
  readonly targetOf: ReturnType<typeof targetsOf>;
}

/**
 * What is to be planned. A batch whose selection is gone for good, and of which nothing is planned yet, ends here
 * with the reason: nobody would ever come back to it.
 *
 * @returns undefined when there is nothing to plan, or another planner was faster
 */
async function readOrEnd(services: PlanServices, found: Batch): Promise<Begun | undefined> {
  try {
    const batch = await resolve(services, found);
    if (batch === undefined) return undefined;
    const names = await resolvedNames(services, batch);
    return { batch, names, targetOf: targetsOf(await readSelection(services, batch.selection)) };
  } catch (error) {
    if (!(error instanceof StepFailure) || error.verdict !== 'fail' || found.planned > 0) throw error;
    await endUnplanned(services, found.id, error.failure);
    return undefined;
  }
}

/** A batch of nothing, with the reason: the dispatcher completes it. */
async function endUnplanned({ store, bus, log }: PlanServices, id: BatchId, failure: Failure): Promise<void> {
  const batch = await store.load('batch', { id });
  if (batch?.state !== 'planning') return;
  const { resolved: _, ...rest } = batch;
  const ended: Batch = { ...rest, state: 'running', total: 0, failure };
  if ((await store.commit('batch', batch, ended)).kind === 'conflict') return;
  log.error('batch cannot be planned', { batch: id, ...failure });
  await bus.sendDispatch({ batch: id });
}

/** Fixes the list of endpoints, once. @returns undefined when another planner was faster, or nothing can be planned */
async function resolve(services: PlanServices, batch: Batch): Promise<Batch | undefined> {
  if (batch.resolved !== undefined) return batch;
  const { known, unknown } = await resolveSelection(services, await readSelection(services, batch.selection));
  const resolved = await services.blobs.put(known);
  const answer = await services.store.commit('batch', batch, {
    ...batch,
    resolved,
    total: known.length,
    ...(unknown.length === 0 ? {} : { unknown: { count: unknown.length, examples: unknown.slice(0, 10) } }),
  });
  return answer.kind === 'committed' ? answer.record : undefined;
}

/** The endpoints of a batch, in the order of planning. @throws StepFailure when the list is gone or altered */
export async function resolvedNames(
  { blobs }: Pick<Services, 'blobs'>,
  { resolved }: Batch,
): Promise<readonly EndpointName[]> {
  if (resolved === undefined) return [];
  return z
    .array(z.custom<EndpointName>((value) => typeof value === 'string' && isEndpointName(value)))
    .parse(await blobs.get(resolved));
}

/** The move that a batch makes of an endpoint. */
export function moveIdOf(
  { chance }: Pick<Services, 'chance'>,
  batch: Batch,
  endpoint: EndpointName,
): Move['id'] {
  return moveIdFrom(chance.digest('move', batch.id, endpoint));
}

/** @returns false when an endpoint was changed by somebody else meanwhile: the page is planned again */
async function planPage(
  services: PlanServices,
  batch: Batch,
  page: readonly EndpointName[],
  fleet: Occupied[],
  targetOf: Begun['targetOf'],
): Promise<boolean> {
  const placements = await services.store.loadMany(
    'endpoint',
    page.map((endpoint) => ({ endpoint })),
  );
  const planned = placements.flatMap((placement) => {
    if (placement === undefined) return [];
    const choice = chooseTarget(fleet, placement, targetOf(placement.endpoint));
    if (choice.kind === 'target') settleIn(fleet, choice.host, placement.sizeBytes);
    return [{ placement, choice }];
  });
  const answers = await Promise.all(
    planned.map(({ placement, choice }) => planMove(services, batch, placement, choice)),
  );
  return !answers.includes('changed');
}

/**
 * Of several planners of one page all make the same move. The endpoint is claimed as it was seen before the move
 * was looked for: a planner that was held up cannot claim it for a move that has come and gone meanwhile.
 */
async function planMove(
  services: PlanServices,
  batch: Batch,
  placement: Placement,
  choice: Choice,
): Promise<'planned' | 'changed'> {
  const { store } = services;
  const { endpoint } = placement;
  const id = moveIdOf(services, batch, endpoint);
  let move = await store.load('move', { id });
  if (move === undefined) {
    const claimed = await arbitrateAsSeen(services, placement, { kind: 'claim', move: id });
    if (claimed.kind === 'changed') return 'changed';
    if (claimed.kind === 'unknown') throw silent(endpoint, { kind: 'claim', move: id });
    const made = await makeMove(services, batch, claimed, choice);
    move = (await store.insert('move', made)) === 'inserted' ? made : await store.load('move', { id });
  }
  // Whoever finds that it will not be moved, or has been, lets it go: who should have may have died before.
  if (move !== undefined && hasEnded(move))
    await mustArbitrate(services, endpoint, { kind: 'release', move: id });
  return 'planned';
}

const hasEnded = ({ execution: { status } }: Move): boolean =>
  status.state === 'completed' || status.state === 'rolled-back';

/** Later choices of this plan see what earlier ones have added. */
function settleIn(fleet: Occupied[], target: HostName, bytes: number): void {
  const at = fleet.findIndex(({ host }) => host.name === target);
  const chosen = fleet[at];
  if (chosen === undefined) return;
  fleet[at] = { ...chosen, bytes: chosen.bytes + bytes, endpoints: chosen.endpoints + 1 };
}

async function makeMove(
  services: PlanServices,
  batch: Batch,
  claimed: Extract<Arbitrated, { readonly kind: 'ruled' | 'refused' }>,
  choice: Choice,
): Promise<Move> {
  const { endpoint, claim } = claimed.placement;
  if (claimed.kind === 'refused' || claim === undefined) {
    const failure = {
      code: 'endpoint-moving',
      sentence: `${endpoint} could not be had: ${claimed.kind === 'refused' ? claimed.why : 'its claim is gone'}`,
      cure: 'wait for the other move to end, then ask again',
    };
    return notMoved(services, batch, claimed.placement, failure);
  }
  if (choice.kind === 'none') return notMoved(services, batch, claimed.placement, choice.failure);
  const id = moveIdOf(services, batch, endpoint);
  await services.permits.reserve(choice.host, id, claimed.placement.sizeBytes);
  const now = services.clock.now();
  return {
    ...skeleton(services, batch, claimed.placement),
    target: choice.host,
    why: choice.why,
    execution: {
      workflow: 'move-endpoint',
      run: 1,
      token: claim.firstToken,
      status: {
        state: 'waiting',
        waiting: {
          code: 'permit',
          on: `a permit on ${claimed.placement.host} and ${choice.host}`,
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
function notMoved(services: PlanServices, batch: Batch, placement: Placement, reason: Failure): Move {
  const now = services.clock.now();
  return {
    ...skeleton(services, batch, placement),
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
  services: PlanServices,
  batch: Batch,
  placement: Placement,
): Omit<Move, 'target' | 'why' | 'execution'> {
  return {
    id: moveIdOf(services, batch, placement.endpoint),
    batch: batch.id,
    endpoint: placement.endpoint,
    driver: placement.driver,
    database: placement.database,
    source: placement.host,
    epoch: placement.epoch,
    policy: batch.policy,
    priority: batch.priority,
    createdAt: services.clock.now(),
    version: 1,
  };
}
