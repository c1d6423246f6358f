import { byPriority, choose, whomToSetBack, type Holder } from '../../domain/admission.ts';
import { decide } from '../../domain/decide.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { isSettled, labelOf, type Move } from '../../domain/move.ts';
import { freshPace, nextMinute, startsLeft, withStarts, type Granted, type Pace } from '../../domain/pace.ts';
import { priorities } from '../../domain/priority.ts';
import { placeOfMove } from '../../domain/trace.ts';
import type { Rooms } from '../../domain/rooms.ts';
import { mayBeSetBack } from '../../domain/transitions.ts';
import { isOf } from '../../domain/workflow-shape.ts';
import type { WaitingMove } from '../../ports/store.ts';
import { Doors } from '../doors.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import { moveShape } from '../move-endpoint/workflow.ts';
import type { Invocation, Services } from '../services.ts';
import { lookAtRooms, type Look } from './look.ts';
import { tellOfWaiting } from './waiting-metrics.ts';
import { waitingMoves } from './waiting-moves.ts';

export type AdmissionServices = Pick<
  Services,
  | 'store'
  | 'permits'
  | 'views'
  | 'bus'
  | 'clock'
  | 'calendar'
  | 'chance'
  | 'log'
  | 'meter'
  | 'tracer'
  | 'settings'
>;

/** Moves that are let go side by side. */
const abreast = 20;
/** Moves that one look lets go; more of them are the next look's. */
const mostAtOnce = 100;
/** Looks in a row of which another dispatcher has gone first. */
const mostTries = 3;

/**
 * Lets moves go while there is room for them: on both hosts, in their zones, of their batch, in all, and by the number
 * that may begin in a minute. The only place where permits are given out.
 *
 * What each host allows is enforced on its row. Everything else follows from all rows of hosts together, and is exact
 * because one look follows the other: each notes what it has chosen, on the version of the pace that it has read,
 * before it takes a permit.
 */
export async function admitMoves(
  services: AdmissionServices,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  for (let nth = 1; nth <= mostTries; nth += 1) if (await lookOnce(services, invocation)) return;
  await services.bus.sendDispatch({}, 1_000);
}

/** @returns false when another dispatcher has gone first: everything is to be looked at anew */
async function lookOnce(
  services: AdmissionServices,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<boolean> {
  const { store, bus, clock } = services;
  const held = await store.load('pace', {});
  const pace = held ?? freshPace;
  let look: Promise<Look> | undefined;
  const looked = (): Promise<Look> => (look ??= lookAtRooms(services, pace));
  const { moves, more } = await waitingMoves(services, invocation, moveShape(services), async (move) =>
    (await looked()).rooms.mayLeave(move),
  );
  if (moves.length === 0) {
    services.meter.note('MovesWaiting', 0);
    return true;
  }
  const { fleet, hosts, rooms, earlier } = await looked();
  const doors = new Doors(services, fleet, hosts);
  // What is held back waits for a person, and not for permits.
  const free = await doors.open(moves);
  if (free.length === 0) return true;
  const now = clock.now();
  const left = startsLeft(pace, fleet.knobs.startsPerMinute, now);
  const most = Math.min(left, mostAtOnce);
  const wished = await planLook(services, rooms, free, most);
  const plan = await withoutHeldBack(doors, rooms, wished);
  tellOfWaiting(services, rooms, free, plan.chosen);
  // Who has left the line makes room for those behind.
  if (plan.chosen.length < wished.chosen.length) await bus.sendDispatch({});
  if (plan.chosen.length === 0) {
    if (left === 0) await bus.sendDispatch({}, nextMinute(pace, now) - now);
    return true;
  }
  if (!(await noteChosen(services, held, withStarts(pace, plan.chosen.map(grantedAt(now)), earlier, now))))
    return false;
  for (const { holder, by } of plan.yielding) await setBack(services, holder, by);
  let admitted = 0;
  for (let at = 0; at < plan.chosen.length && invocation.remainingMs() > 0; at += abreast) {
    await eachApart(services, plan.chosen.slice(at, at + abreast), async (move) => {
      if (await begin(services, rooms, move)) admitted += 1;
    });
  }
  // More than this look took in, or had room or time for: as long as some were admitted, there may be more.
  const unfinished = more || plan.chosen.length >= most || admitted < plan.chosen.length;
  if (unfinished && admitted > 0) await bus.sendDispatch({});
  return true;
}

const grantedAt =
  (at: number) =>
  ({ id, batch, source, target }: WaitingMove): Granted => ({ id, batch, source, target, at });

async function noteChosen(
  { store }: AdmissionServices,
  held: Pace | undefined,
  next: Pace,
): Promise<boolean> {
  if (held === undefined) return (await store.insert('pace', next)) === 'inserted';
  return (await store.commit('pace', held, next)).kind === 'committed';
}

interface LookPlan {
  readonly chosen: readonly WaitingMove[];
  readonly yielding: readonly { readonly holder: Holder; readonly by: WaitingMove }[];
}

/** Whom to let go, the most urgent first; where those have no room, who has to wait again for them. */
async function planLook(
  services: AdmissionServices,
  rooms: Rooms,
  moves: readonly WaitingMove[],
  most: number,
): Promise<LookPlan> {
  const lots = new Map<BatchId, number>();
  const lotOf = (batch: BatchId): number => {
    const lot = lots.get(batch) ?? services.chance.fraction();
    lots.set(batch, lot);
    return lot;
  };
  const chosen: WaitingMove[] = [];
  const yielding: { readonly holder: Holder; readonly by: WaitingMove }[] = [];
  for (const group of byPriority(moves)) {
    const these = choose(group, rooms, most - chosen.length, lotOf);
    chosen.push(...these);
    const urgent = group.filter(({ priority }) => priority >= priorities.failure);
    if (urgent.length === 0) continue;
    const isChosen = new Set(these.map(({ id }) => id));
    const holders = new Map<MoveId, Holder>();
    for (const move of urgent) {
      if (isChosen.has(move.id) || chosen.length >= most) continue;
      const shortages = rooms.shortagesOf(move) ?? [];
      await learnOf(
        services,
        holders,
        shortages.flatMap(({ held }) => [...held]),
      );
      const victims = whomToSetBack(move, rooms, holders);
      if (victims === undefined || victims.length === 0) continue;
      for (const holder of victims) {
        rooms.giveBack(holder);
        holders.delete(holder.id);
        yielding.push({ holder, by: move });
      }
      rooms.take(move);
      chosen.push(move);
    }
  }
  return { chosen, yielding };
}

/** The same without those that are held back by themselves: these have left the line, and nobody waits again for them. */
async function withoutHeldBack(
  doors: Doors,
  rooms: Rooms,
  { chosen, yielding }: LookPlan,
): Promise<LookPlan> {
  const may = await Promise.all(chosen.map(async (move) => doors.mayBegin(move)));
  const stays = new Set(chosen.filter((_, index) => may[index] !== true).map(({ id }) => id));
  for (const move of chosen) if (stays.has(move.id)) rooms.giveBack(move);
  return {
    chosen: chosen.filter(({ id }) => !stays.has(id)),
    yielding: yielding.filter(({ by }) => !stays.has(by.id)),
  };
}

/** Reads those of these moves that are not known yet. */
async function learnOf(
  services: AdmissionServices,
  holders: Map<MoveId, Holder>,
  ids: readonly MoveId[],
): Promise<void> {
  const shape = moveShape(services);
  const now = services.clock.now();
  const unknown = [...new Set(ids)].filter((id) => !holders.has(id));
  const moves = await loadReadable(
    services,
    'move',
    unknown.map((id) => ({ id })),
  );
  for (const move of moves) {
    if (move === undefined || move === 'unreadable') continue;
    const { id, batch, source, target, priority, createdAt, execution } = move;
    const mayYield = isOf(shape, execution) && mayBeSetBack(shape, execution.status, now);
    holders.set(id, { id, batch, source, target, priority, createdAt, mayBeSetBack: mayYield });
  }
}

/** It waits again, and its permits are free: both at once, and only if no worker has taken it up meanwhile. */
async function setBack(services: AdmissionServices, { id }: Holder, by: WaitingMove): Promise<void> {
  const { store, permits, clock, log } = services;
  const move = await store.load('move', { id });
  if (move === undefined) return;
  const decision = decide(
    moveShape(services),
    move.execution,
    {
      kind: 'set-back',
      code: 'permit',
      on: `a permit on ${move.source} and ${move.target} again: ${by.id}, which is more urgent, was given its own`,
    },
    clock.now(),
    'dispatch-moves',
  );
  if (decision.kind === 'ignored') return;
  const answer = await permits.setBack(move, { ...move, execution: decision.execution });
  if (answer.kind === 'committed')
    log.info('a move waits again for a more urgent one', {
      move: id,
      batch: move.batch,
      endpoint: move.endpoint,
      by: by.id,
    });
}

/**
 * Takes the permits and lets the move go. It is read before they are taken, and goes only as it was read: what was
 * set back meanwhile, or let go by another, stays as it is.
 *
 * What a move was given is never taken back while it waits: another dispatcher may have seen it there, and be about
 * to let the move go. A move that got one permit and lost the race for the other keeps the one, and is given the
 * other when it is free; whoever holds that one runs already, so nobody waits in a circle.
 */
async function begin(services: AdmissionServices, rooms: Rooms, waiting: WaitingMove): Promise<boolean> {
  const { permits, store, bus, clock, tracer } = services;
  const { id, source, target } = waiting;
  const [move] = await loadReadable(services, 'move', [{ id }]);
  if (move === 'unreadable') {
    // It stays where it is until somebody has repaired its row; others may have its permits.
    await permits.giveBack(source, 'out', id);
    await permits.giveBack(target, 'in', id);
  }
  if (move === undefined || move === 'unreadable') return false;
  if (move.target !== target) {
    // It was turned away from there since the index was read: it is admitted to where it goes now.
    await permits.giveBack(target, 'in', id);
    return false;
  }
  const decision = decide(
    moveShape(services),
    move.execution,
    { kind: 'admitted' },
    clock.now(),
    'dispatch-moves',
  );
  if (decision.kind === 'ignored') {
    // The index lagged behind: it has been admitted before, or has ended and wants no permits any more. Or another
    // release has made it, and admits it once that one is there again.
    await returnIfSettled(services, move);
    return false;
  }
  if (!(await permits.take(source, 'out', id, rooms.limitOf(source, 'out')))) return false;
  if (!(await permits.take(target, 'in', id, rooms.limitOf(target, 'in')))) return false;
  const answer = await store.commit('move', move, { ...move, execution: decision.execution });
  if (answer.kind === 'conflict') {
    // Somebody has ended it, let it go, or turned it away, between the look and the permits.
    const now = await store.load('move', { id });
    if (now !== undefined && now.target !== target) await permits.giveBack(target, 'in', id);
    if (now !== undefined) await returnIfSettled(services, now);
    return false;
  }
  const { batch, endpoint, execution } = move;
  const since = execution.status.state === 'waiting' ? execution.status.waiting.since : clock.now();
  const facts = { 'drayage.move': id, 'drayage.batch': batch, 'drayage.endpoint': endpoint };
  await tracer.during({ name: 'wait for admission', partOf: placeOfMove(move), since, facts }, async () => {
    for (const { phase, afterMs } of decision.effects)
      await bus.sendWork({ kind: 'work', task: id, phase }, afterMs);
  });
  return true;
}

async function returnIfSettled({ permits }: AdmissionServices, move: Move): Promise<void> {
  if (!isSettled(labelOf(move.execution))) return;
  await permits.giveBack(move.source, 'out', move.id);
  await permits.giveBack(move.target, 'in', move.id);
}
