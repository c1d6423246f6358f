import { decide } from '../domain/decide.ts';
import type { Batch } from '../domain/batch.ts';
import type { PermitSide } from '../domain/host.ts';
import type { BatchId, HostName, MoveId } from '../domain/ids.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from '../domain/move.ts';
import type { DispatchMessage } from '../ports/bus.ts';
import type { WaitingMove } from '../ports/store.ts';
import { eachApart, loadReadable } from './each-apart.ts';
import { moveShape } from './move-endpoint/workflow.ts';
import { moveIdOf, resolvedNames } from './planning/plan-batch.ts';
import type { Invocation, Services } from './services.ts';

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

/**
 * Permits as this look has seen and given them. A move asks for any only where both its hosts seem to have room:
 * else those that wait for a full host would hold, for a moment and again and again, what others could go with.
 */
class Gate {
  readonly #services: DispatchServices;
  readonly #rooms = new Map<string, Promise<Room>>();

  constructor(services: DispatchServices) {
    this.#services = services;
  }

  async admits({ id, source, target }: WaitingMove): Promise<boolean> {
    const { permits } = this.#services;
    const [out, into] = await Promise.all([this.#room(source, 'out'), this.#room(target, 'in')]);
    // Between these looks and the bookings nothing else runs.
    if (!out.hasFor(id) || !into.hasFor(id)) return false;
    out.book(id);
    into.book(id);
    if (!(await permits.take(source, 'out', id, out.limit))) {
      out.close();
      into.free(id);
      return false;
    }
    if (await permits.take(target, 'in', id, into.limit)) return true;
    into.close();
    out.free(id);
    await permits.giveBack(source, 'out', id);
    return false;
  }

  async #room(name: HostName, side: PermitSide): Promise<Room> {
    const key = `${name} ${side}`;
    const room = this.#rooms.get(key) ?? this.#look(name, side);
    this.#rooms.set(key, room);
    return await room;
  }

  async #look(name: HostName, side: PermitSide): Promise<Room> {
    const host = await this.#services.store.load('host', { name });
    if (host === undefined) return new Room([], 0);
    return side === 'out' ? new Room(host.permitsOut, host.movesOut) : new Room(host.permitsIn, host.movesIn);
  }
}

/** One side of one host, as it was when it was looked at, with what this look has given out since. */
class Room {
  readonly limit: number;
  readonly #held: Set<MoveId>;
  #isClosed = false;

  constructor(held: readonly MoveId[], limit: number) {
    this.#held = new Set(held);
    this.limit = limit;
  }

  hasFor(move: MoveId): boolean {
    return !this.#isClosed && (this.#held.has(move) || this.#held.size < this.limit);
  }

  book(move: MoveId): void {
    this.#held.add(move);
  }

  free(move: MoveId): void {
    this.#held.delete(move);
  }

  /** The host itself has refused: others were quicker, and it is asked no more. */
  close(): void {
    this.#isClosed = true;
  }
}

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
  const counts = await countMoves(services, batch);
  if (counts === undefined) return;
  const ended: Batch = { ...batch, state: 'completed', counts, endedAt: services.clock.now() };
  const answer = await services.store.commit('batch', batch, ended);
  if (answer.kind === 'conflict') return;
  services.log.info('batch completed', { batch: id, counts });
  await services.bus.announce([
    {
      id: `${id}:completed`,
      type: 'batch.completed',
      subject: id,
      at: services.clock.now(),
      data: {
        batch: id,
        reason: batch.reason,
        counts: { ...counts },
        ...(batch.failure === undefined ? {} : { failure: { ...batch.failure } }),
      },
    },
  ]);
}

/** @returns undefined while a move is still under way */
async function countMoves(
  services: DispatchServices,
  batch: Batch,
): Promise<Partial<Record<MoveLabel, number>> | undefined> {
  const names = await resolvedNames(services, batch);
  const moves = await loadReadable(
    services,
    'move',
    names.map((name) => ({ id: moveIdOf(services, batch, name) })),
  );
  const counts: Partial<Record<MoveLabel, number>> = {};
  for (const move of moves) {
    const label = labelOfMove(move);
    if (!isSettled(label)) return undefined;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

/** A move whose row cannot be read is set aside, and the batch goes on without it and says so. */
const labelOfMove = (move: Move | 'unreadable' | undefined): MoveLabel => {
  if (move === 'unreadable') return 'stuck';
  return move === undefined ? 'waiting' : labelOf(move.execution);
};
