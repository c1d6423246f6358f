import { blockersOf } from '../domain/blockers.ts';
import { decide } from '../domain/decide.ts';
import type { Batch } from '../domain/batch.ts';
import { failedSince } from '../domain/health.ts';
import type { PermitSide } from '../domain/host.ts';
import type { BatchId, HostName, MoveId } from '../domain/ids.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from '../domain/move.ts';
import { finishedBatch } from '../domain/news.ts';
import type { DispatchMessage } from '../ports/bus.ts';
import type { WaitingMove } from '../ports/store.ts';
import { eachApart, loadReadable } from './each-apart.ts';
import { moveShape } from './move-endpoint/workflow.ts';
import { moveIdOf, resolvedNames } from './planning/plan-batch.ts';
import type { Invocation, Services } from './services.ts';
import { tellPeople } from './tell-people.ts';

export type DispatchServices = Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'settings'
>;

/** Waiting moves that one look takes in. */
const lookAhead = 400;
/** Moves that are looked at side by side. */
const abreast = 20;

/**
 * Admits moves while permits are free, and closes batches in which nothing is left to do. The only place where
 * permits are given out. Wake-ups may be lost, doubled or late: each looks at everything there is.
 */
export async function dispatchMoves(
  services: DispatchServices,
  messages: readonly DispatchMessage[],
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  await admit(services, invocation);
  const batches = new Set(messages.flatMap(({ batch }) => batch ?? []));
  await eachApart(services, [...batches], async (batch) => completeBatch(services, batch));
}

/**
 * In order of priority and age, some at a time: what is admitted begins at once, so that an invocation that
 * ends here has not taken permits in vain.
 */
async function admit(services: DispatchServices, invocation: Pick<Invocation, 'remainingMs'>): Promise<void> {
  const gate = new Gate(services);
  const waiting = await services.views.waiting(lookAhead);
  let admitted = 0;
  let at = 0;
  for (; at < waiting.length && invocation.remainingMs() > 0; at += abreast) {
    await eachApart(services, waiting.slice(at, at + abreast), async (move) => {
      if (!(await gate.admits(move))) return;
      await begin(services, move);
      admitted += 1;
    });
  }
  // More than one look takes in, or than this one had time for: as long as some were admitted, there may be more.
  const more = waiting.length >= lookAhead || at < waiting.length;
  if (more && admitted > 0) await services.bus.sendDispatch({});
}

/** One side of a host, as this look has seen it and used it up. */
interface Room {
  readonly limit: number;
  readonly held: Set<MoveId>;
}

/**
 * Permits as this look has seen and taken them: a move that has no room on one side asks for none.
 *
 * What a move was given is never taken back while it waits: another dispatcher may have seen it there, and be
 * about to let the move go. A move that got one permit and lost the race for the other keeps the one, and is
 * given the other when it is free; whoever holds that one runs already, so nobody waits in a circle.
 */
class Gate {
  readonly #services: DispatchServices;
  readonly #rooms = new Map<string, Promise<Room>>();

  constructor(services: DispatchServices) {
    this.#services = services;
  }

  async admits({ id, source, target }: WaitingMove): Promise<boolean> {
    const [leaving, entering] = await Promise.all([this.#room(source, 'out'), this.#room(target, 'in')]);
    if (!hasRoom(leaving, id) || !hasRoom(entering, id)) return false;
    leaving.held.add(id);
    entering.held.add(id);
    const { permits } = this.#services;
    return (
      (await permits.take(source, 'out', id, leaving.limit)) &&
      (await permits.take(target, 'in', id, entering.limit))
    );
  }

  #room(name: HostName, side: PermitSide): Promise<Room> {
    const key = `${name} ${side}`;
    const known = this.#rooms.get(key) ?? this.#look(name, side);
    this.#rooms.set(key, known);
    return known;
  }

  async #look(name: HostName, side: PermitSide): Promise<Room> {
    const host = await this.#services.store.load('host', { name });
    if (host === undefined) return { limit: 0, held: new Set() };
    if (side === 'out') return { limit: host.movesOut, held: new Set(host.permitsOut) };
    // Nothing begins onto a host that has failed: it waits until that is well again, or is turned away from it.
    if (failedSince(host) !== undefined) return { limit: 0, held: new Set() };
    return { limit: host.movesIn, held: new Set(host.permitsIn) };
  }
}

const hasRoom = ({ limit, held }: Room, move: MoveId): boolean => held.has(move) || held.size < limit;

/** The permits are held: the move may go. A crash before this leaves permits to a waiting move, which takes them again. */
async function begin(services: DispatchServices, waiting: WaitingMove): Promise<void> {
  const { store, permits, bus, clock } = services;
  const [move] = await loadReadable(services, 'move', [{ id: waiting.id }]);
  if (move === 'unreadable') {
    // It stays where it is until somebody has repaired its row; others may have its permits.
    await permits.giveBack(waiting.source, 'out', waiting.id);
    await permits.giveBack(waiting.target, 'in', waiting.id);
  }
  if (move === undefined || move === 'unreadable') return;
  if (move.target !== waiting.target) {
    // It was turned away from there since the index was read: it is admitted to where it goes now.
    await permits.giveBack(waiting.target, 'in', waiting.id);
    return;
  }
  const decision = decide(
    moveShape(services),
    move.execution,
    { kind: 'admitted' },
    clock.now(),
    'dispatch-moves',
  );
  if (decision.kind === 'ignored') {
    // The index lagged behind: it has been admitted before, or has ended and wants no permits any more.
    if (isSettled(labelOf(move.execution))) {
      await permits.giveBack(move.source, 'out', move.id);
      await permits.giveBack(move.target, 'in', move.id);
    }
    return;
  }
  const answer = await store.commit('move', move, { ...move, execution: decision.execution });
  if (answer.kind === 'conflict') return;
  for (const { phase, afterMs } of decision.effects) {
    await bus.sendWork({ kind: 'work', task: move.id, phase }, afterMs);
  }
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
