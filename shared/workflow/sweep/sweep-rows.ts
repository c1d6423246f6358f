import { isMoveId, type HostName, type MoveId } from '../../domain/ids.ts';
import { isSettled, labelOf, permitWait, type Move } from '../../domain/move.ts';
import { isUnannounced } from '../../domain/placement.ts';
import { placeOfBatch, placeOfMove } from '../../domain/trace.ts';
import { isOf } from '../../domain/workflow-shape.ts';
import type { Host, PermitSide } from '../../domain/host.ts';
import type { Due } from '../../ports/store.ts';
import { announcePlacement } from '../announce-placement.ts';
import { sendNotification, tellStuck } from '../tell-people.ts';
import { tellMove } from '../commands/tell-move.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import { phaseOfTask, underWay } from '../engine/phase.ts';
import { moveShape } from '../move-endpoint/workflow.ts';
import { healHost, type HealingServices } from '../healing/heal-host.ts';
import { scaleFleet } from '../scaling/scale-fleet.ts';
import type { Invocation, Services } from '../services.ts';
import { HostCensus } from './host-census.ts';

export type SweepServices = HealingServices & Pick<Services, 'meter'>;

/** Rows that one sweep sets going again. */
const mostRows = 500;

/**
 * Finds every row whose message was lost, whose worker died unwatched or whose news was never told, and sets it
 * going again. Sends pointers only: who acts looks for itself whether there is anything to do.
 */
export async function sweepRows(
  services: SweepServices,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  const { meter, views } = services;
  const now = services.clock.now();
  const troubles: unknown[] = [];
  let longestSilenceMs = 0;
  let swept = 0;
  // The other half is for hosts.
  const halfMs = invocation.remainingMs() / 2;
  let cursor: string | undefined;
  do {
    const page = await views.due(now, mostRows - swept, cursor);
    for (const row of page.items) {
      if (invocation.remainingMs() <= 0) break;
      // One at a time, and each for itself: what is wrong with a row must not keep the sweep from those behind it.
      await eachApart(services, [row], async () => {
        const { silenceMs = 0, isLeft = false } = await wake(services, row);
        longestSilenceMs = Math.max(longestSilenceMs, silenceMs);
        if (!isLeft) swept += 1;
      }).catch((error: unknown) => troubles.push(error));
    }
    cursor = page.cursor;
    // What only another release can read or go on with stays due, and is to hide nothing: as many more behind it.
  } while (cursor !== undefined && swept < mostRows && invocation.remainingMs() > halfMs);
  // Whoever waits for a permit is not due: the dispatcher looks at all of them, and its wake-up may have been lost.
  await services.bus.sendDispatch({});
  if (swept > 0) services.log.info('swept', { due: swept });
  await recountPermits(services);
  await scaleFleet(services);
  meter.note('LongestSilenceMs', longestSilenceMs);
  meter.note('RowsSwept', swept);
  meter.note('SweepRuns', 1, { sweep: 'rows' });
  // The platform counts an invocation that fails.
  const [first] = troubles;
  if (first instanceof Error) throw first;
}

interface Found {
  /** For how long a move has been due of which nobody has taken notice. */
  readonly silenceMs?: number;
  /** It is another release's, and is left as it is. */
  readonly isLeft?: boolean;
}

async function wake(services: SweepServices, due: Due): Promise<Found> {
  const { store, bus, clock, tracer } = services;
  switch (due.kind) {
    case 'move': {
      const move = await store.load('move', { id: due.id });
      if (move === undefined) return {};
      await tellStuck(services, move);
      const shape = moveShape(services);
      const phase = phaseOfTask(shape, move.execution);
      if (phase !== undefined)
        await tracer.within(placeOfMove(move), async () =>
          bus.sendWork({ kind: 'work', task: move.id, phase }, 0),
        );
      // What was put off comes back into line.
      else if (move.execution.status.state === 'waiting')
        await tellMove(services, move.id, () => ({ kind: 'woken', ...permitWait(move) }), 'sweep-rows');
      const isLeft = !isOf(shape, move.execution) && !isSettled(labelOf(move.execution));
      // A retirement waits behind others for as long as there are many, and nobody waits for it.
      return { silenceMs: phase === 'retire' ? 0 : silenceOf(move, clock.now()), isLeft };
    }
    case 'batch': {
      const batch = await store.load('batch', { id: due.id });
      if (batch !== undefined)
        await tracer.within(placeOfBatch(batch), async () => {
          if (batch.state === 'planning') await bus.sendPlan({ batch: due.id });
          if (batch.state === 'running') await bus.sendDispatch({ batch: due.id });
        });
      return {};
    }
    case 'endpoint': {
      const placement = await store.load('endpoint', { endpoint: due.endpoint });
      if (placement !== undefined && isUnannounced(placement)) {
        await announcePlacement(services, placement);
      }
      return {};
    }
    case 'news': {
      const notification = await store.load('news', { id: due.id });
      if (notification !== undefined) await sendNotification(services, notification);
      return {};
    }
    case 'request': {
      const request = await store.load('request', due);
      if (request === undefined) return {};
      // A repeat has made it due again: written as it is, it is no longer.
      if (request.outcome.kind !== 'pending') await store.commit('request', request, request);
      else await bus.publish([request]);
      return {};
    }
    case 'host':
      await healHost(services, due.name);
      return {};
    default:
      return due satisfies never;
  }
}

/** Whoever takes it up, or tries to, leaves a trace on its row. */
function silenceOf({ execution }: Move, now: number): number {
  const status = underWay(execution);
  if (status === undefined) return 0;
  return Math.max(0, now - Math.max(status.dueAt, status.lease?.until ?? 0, execution.last.at));
}

/** Permits of moves that have ended, or that never came to be, go back; so does space set aside for the ended. */
async function recountPermits(services: SweepServices): Promise<void> {
  const census = new HostCensus();
  let cursor: string | undefined;
  do {
    const page = await services.views.hosts(cursor);
    const hosts = await loadReadable(
      services,
      'host',
      page.items.map((name) => ({ name })),
    );
    for (const host of hosts) {
      if (host === undefined || host === 'unreadable') continue;
      census.add(host);
      await recount(services, host.name, 'out', host.permitsOut);
      await recount(services, host.name, 'in', host.permitsIn);
      await freeSpace(services, host);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  census.tell(services.meter);
}

async function recount(
  services: SweepServices,
  host: HostName,
  side: PermitSide,
  held: readonly MoveId[],
): Promise<void> {
  const { permits, log } = services;
  const found = await loadReadable(
    services,
    'move',
    held.map((id) => ({ id })),
  );
  const moves = found.map((move) => (isElsewhere(move, host, side) ? undefined : move));
  for (const [index, id] of held.entries()) {
    const move = moves[index];
    if (move === 'unreadable') continue;
    if (move !== undefined && !isSettled(labelOf(move.execution))) continue;
    log.warn('permit of a move that has ended, or goes elsewhere, is taken back', {
      host,
      side,
      move: id,
      ...(move === undefined ? {} : { batch: move.batch, endpoint: move.endpoint }),
    });
    await permits.giveBack(host, side, id);
  }
}

/** One that waited was perhaps given something by a host that it has been turned away from since. */
const isElsewhere = (move: Move | 'unreadable' | undefined, host: HostName, side: PermitSide): boolean =>
  move !== undefined && move !== 'unreadable' && host !== (side === 'out' ? move.source : move.target);

/** A planner that was overtaken may set space aside for a move that has come and gone. */
async function freeSpace(services: SweepServices, host: Host): Promise<void> {
  const { permits, log } = services;
  const ids = Object.keys(host.reserved).filter(isMoveId);
  const moves = await loadReadable(
    services,
    'move',
    ids.map((id) => ({ id })),
  );
  for (const move of moves) {
    // One that is not there yet is being planned.
    if (move === undefined || move === 'unreadable') continue;
    if (!isSettled(labelOf(move.execution)) && !isElsewhere(move, host.name, 'in')) continue;
    log.warn('space set aside for a move that has ended, or goes elsewhere, is free again', {
      host: host.name,
      move: move.id,
      batch: move.batch,
      endpoint: move.endpoint,
    });
    await permits.unreserve(host.name, move.id);
  }
}
