import { decide } from '../../domain/decide.ts';
import { StepFailure, type Failure } from '../../domain/failure.ts';
import { healer } from '../../domain/healing.ts';
import { failures } from '../../domain/health.ts';
import type { Host } from '../../domain/host.ts';
import { isMoveId, type HostName } from '../../domain/ids.ts';
import type { Execution } from '../../domain/execution.ts';
import { permitWait, type Move } from '../../domain/move.ts';
import { Ground } from '../../domain/planning/ground.ts';
import { termsOf } from '../../domain/planning/make-plan.ts';
import { Placer } from '../../domain/planning/place.ts';
import type { Terms } from '../../domain/planning/rules.ts';
import { isOf } from '../../domain/workflow-shape.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import { moveShape } from '../move-endpoint/workflow.ts';
import { loadSnapshot } from '../planning/fleet.ts';
import { readSelection, targetsOf } from '../planning/selection.ts';
import type { Services } from '../services.ts';

export type TurnServices = Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'bus' | 'clock' | 'log' | 'settings'
>;

/** Steps in which nothing has been made on the target yet. */
const unbegun: readonly string[] = ['preflight', 'reserve'];

/**
 * Moves that were planned onto a host that has failed, and of which nothing is there yet: they go to another host, where
 * the batch leaves the choice; the others end with the reason, and their batch goes on. One that a worker holds is
 * looked at with the next sweep. What has begun to copy is left to its own patience: the host may come back.
 */
export async function turnAway(services: TurnServices, host: Host): Promise<void> {
  const ids = Object.keys(host.reserved).filter(isMoveId);
  const moves = await loadReadable(
    services,
    'move',
    ids.map((id) => ({ id })),
  );
  const here = moves.flatMap((move) =>
    move !== undefined && move !== 'unreadable' && move.target === host.name && mayTurn(services, move)
      ? [move]
      : [],
  );
  if (here.length === 0) return;
  // As if none of them had been planned: what they hold on this host is not to be counted elsewhere.
  const ground = new Ground(await loadSnapshot(services, [], new Set(here.map(({ id }) => id))));
  // One after the other: each sees what the others have added to a host.
  for (const move of here) {
    await eachApart(services, [move], async () => turn(services, host, move, ground));
  }
}

/** Nothing of it is there yet, and what that means is for this release to say. */
function mayTurn(services: TurnServices, { execution }: Move): boolean {
  const { status } = execution;
  if (!isOf(moveShape(services), execution)) return false;
  return status.state === 'waiting' || (status.state === 'running' && unbegun.includes(status.step));
}

async function turn(services: TurnServices, host: Host, move: Move, ground: Ground): Promise<void> {
  const waiting = waitingAgain(services, move);
  if (waiting === undefined) return;
  const { wanted, terms } = await askedOf(services, move);
  if (wanted === host.name) {
    await end(services, move, targetFailed(host, move, 'its request names no other target'));
    return;
  }
  const seat = ground.seats.find(({ endpoint }) => endpoint === move.endpoint);
  if (seat === undefined) return;
  // Settled on the ground: the next ones see what this one adds.
  const answer = new Placer(ground, terms).place(wanted === undefined ? { seat } : { seat, wanted });
  if (!('target' in answer)) {
    await end(services, move, targetFailed(host, move, answer.failure.sentence));
    return;
  }
  await replan(services, move, waiting, { host: answer.target, why: answer.why }, seat.bytes);
}

/** How the request asks for it, and the target that it names; undefined: the planner chose it. */
async function askedOf(
  services: TurnServices,
  move: Move,
): Promise<{ readonly terms: Terms; readonly wanted: HostName | undefined }> {
  const batch = await services.store.load('batch', { id: move.batch });
  if (batch === undefined) return { terms: { isNamed: false }, wanted: undefined };
  try {
    const selection = await readSelection(services, batch.selection);
    return { terms: termsOf(selection), wanted: targetsOf(selection)(move.endpoint) };
  } catch (error) {
    // Nobody can say any more what was asked for: it stays with the host that it was planned onto.
    if (error instanceof StepFailure && error.verdict === 'fail')
      return { terms: { isNamed: false }, wanted: move.target };
    throw error;
  }
}

/**
 * A move that has looked at its hosts, and left nothing there, waits again as if it had never begun.
 * @returns undefined while a worker holds it
 */
function waitingAgain(services: TurnServices, move: Move): Execution | undefined {
  if (move.execution.status.state === 'waiting') return move.execution;
  const fact = { kind: 'set-back' as const, ...permitWait(move) };
  const decision = decide(moveShape(services), move.execution, fact, services.clock.now(), healer);
  return decision.kind === 'next' ? decision.execution : undefined;
}

async function replan(
  { store, permits, clock, log }: TurnServices,
  move: Move,
  execution: Execution,
  { host: target, why }: { readonly host: HostName; readonly why: string },
  bytes: number,
): Promise<void> {
  const { id, batch, endpoint, source, target: former } = move;
  if (execution.status.state !== 'waiting') return;
  await permits.reserve(target, id, bytes);
  const now = clock.now();
  const after: Move = {
    ...move,
    target,
    why: `${why}; ${former}, where it was to go, has failed`,
    execution: {
      ...execution,
      status: {
        ...execution.status,
        waiting: { ...execution.status.waiting, ...permitWait({ source, target }) },
        dueAt: now,
      },
      last: { fact: 're-planned', at: now, by: healer },
    },
  };
  // What was under way gives both permits back with the same write, as when it is set back for a more urgent one.
  const answer =
    move.execution.status.state === 'waiting'
      ? await store.commit('move', move, after)
      : await permits.setBack(move, after);
  // Somebody has let it go, or has planned it anew too: whatever is set aside in vain, the sweep finds.
  if (answer.kind === 'conflict') return;
  // Between the two a sweep may have taken it for space that nobody wants.
  await permits.reserve(target, id, bytes);
  await permits.vacate(former, id);
  log.warn('a move goes elsewhere: its target has failed', {
    move: id,
    batch,
    endpoint,
    from: former,
    to: target,
  });
}

async function end(services: TurnServices, move: Move, failure: Failure): Promise<void> {
  const { store, bus, clock, log } = services;
  const decision = decide(
    moveShape(services),
    move.execution,
    { kind: 'abandoned', failure },
    clock.now(),
    healer,
  );
  if (decision.kind === 'ignored') return;
  const answer = await store.commit('move', move, { ...move, execution: decision.execution });
  if (answer.kind === 'conflict') return;
  log.warn('a move ends: its target has failed', {
    move: move.id,
    batch: move.batch,
    endpoint: move.endpoint,
    ...failure,
  });
  for (const { phase, afterMs } of decision.effects) {
    await bus.sendWork({ kind: 'work', task: move.id, phase }, afterMs);
  }
}

function targetFailed(host: Host, { endpoint }: Move, why: string): Failure {
  return {
    code: 'target-failed',
    sentence: `${host.name} has failed (${failures(host).join(', ')}) before anything of ${endpoint} was there; ${why}`,
    cure: `move it to another host: dray move ${endpoint} --to …`,
    host: host.name,
  };
}
