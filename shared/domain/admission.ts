import type { BatchId, MoveId } from './ids.ts';
import type { Mover, Rooms, Shortage } from './rooms.ts';

/** A move that waits for permits. */
export interface Candidate extends Mover {
  readonly priority: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** A move that is under way, as far as it matters to those that are not. */
export interface Holder extends Mover {
  readonly priority: number;
  readonly createdAt: number;
  /** Nothing of it stands anywhere yet, and no worker has it: it can wait again as if it had never begun. */
  readonly mayBeSetBack: boolean;
}

/** Candidates of one priority each, the highest first. */
export function byPriority<C extends Candidate>(candidates: readonly C[]): (readonly C[])[] {
  const groups = new Map<number, C[]>();
  for (const candidate of candidates) {
    const group = groups.get(candidate.priority);
    if (group === undefined) groups.set(candidate.priority, [candidate]);
    else group.push(candidate);
  }
  return [...groups].sort(([one], [other]) => other - one).map(([, group]) => group);
}

/**
 * Whom to let go of candidates of one priority, at most `most`, while there is room; their room is taken.
 *
 * Batches take turns: next is the one of which the fewest are under way, and among those the one whose lot is the
 * lowest. So a batch of five goes beside one of ten thousand, whichever came first, also where only one of them
 * can go at a time. Within a batch the oldest goes first. What finds no room holds up nothing behind it.
 *
 * Each candidate is looked at once, whatever their number.
 */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  rooms: Rooms,
  most: number,
  lotOf: (batch: BatchId) => number,
): C[] {
  const turns = new Turns<C>();
  for (const [batch, queue] of queues(candidates))
    turns.put(rooms.ofBatch(batch), { queue, lot: lotOf(batch), at: 0 });
  const chosen: C[] = [];
  for (let turn = turns.next(); turn !== undefined && chosen.length < most; turn = turns.next()) {
    const { line, used } = turn;
    const candidate = nextThatFits(line, rooms);
    if (candidate === undefined) continue;
    rooms.take(candidate);
    chosen.push(candidate);
    turns.put(used + 1, line);
  }
  return chosen;
}

interface Line<C> {
  readonly queue: readonly C[];
  readonly lot: number;
  /** How many of them have been looked at. */
  at: number;
}

/** Lines by how many of each are under way. The fewest only grow, so nobody looks for them twice. */
class Turns<C> {
  readonly #lines = new Map<number, Line<C>[]>();
  #fewest = 0;
  #sorted = -1;
  #waiting = 0;

  put(used: number, line: Line<C>): void {
    const equals = this.#lines.get(used) ?? [];
    this.#lines.set(used, equals);
    equals.push(line);
    this.#waiting += 1;
  }

  next(): { readonly line: Line<C>; readonly used: number } | undefined {
    if (this.#waiting === 0) return undefined;
    for (;;) {
      const equals = this.#lines.get(this.#fewest);
      // Whoever has had a turn comes back among those of which one more is under way: here none is added any more.
      if (this.#sorted < this.#fewest) equals?.sort((one, other) => other.lot - one.lot);
      this.#sorted = this.#fewest;
      const line = equals?.pop();
      if (line !== undefined) {
        this.#waiting -= 1;
        return { line, used: this.#fewest };
      }
      this.#fewest += 1;
    }
  }
}

function nextThatFits<C extends Candidate>(line: Line<C>, rooms: Rooms): C | undefined {
  for (; line.at < line.queue.length; line.at += 1) {
    const candidate = line.queue[line.at];
    if (candidate !== undefined && rooms.fits(candidate)) {
      line.at += 1;
      return candidate;
    }
  }
  return undefined;
}

function queues<C extends Candidate>(candidates: readonly C[]): Map<BatchId, C[]> {
  const found = new Map<BatchId, C[]>();
  for (const candidate of candidates) {
    const queue = found.get(candidate.batch);
    if (queue === undefined) found.set(candidate.batch, [candidate]);
    else queue.push(candidate);
  }
  for (const queue of found.values()) queue.sort(byAge);
  return found;
}

/**
 * Which moves under way would have to wait again so that an urgent one can go: of lower priority, not begun, none of
 * them in vain; the least urgent first, and of those the youngest.
 *
 * @returns undefined when that would not do, or when nothing but its own batch is in its way
 */
export function whomToSetBack(
  urgent: Candidate,
  rooms: Rooms,
  holders: ReadonlyMap<MoveId, Holder>,
): readonly Holder[] | undefined {
  const shortages = rooms.shortagesOf(urgent);
  if (shortages === undefined || shortages.some(({ full }) => full.kind === 'batch')) return undefined;
  const chosen = new Set<Holder>();
  for (const shortage of shortages) {
    const yielding = yieldingIn(shortage, urgent, holders);
    const needed = shortage.held.size - shortage.limit + 1 - freedIn(shortage, chosen);
    const more = yielding.filter((holder) => !chosen.has(holder)).slice(0, Math.max(0, needed));
    if (more.length < needed) return undefined;
    for (const holder of more) chosen.add(holder);
  }
  // Whoever was chosen for one room may not be needed any more for those that another one has made room in too.
  for (const holder of [...chosen].sort((one, other) => byYielding(other, one))) {
    const others = new Set([...chosen].filter((each) => each !== holder));
    if (shortages.every((shortage) => freedIn(shortage, others) > shortage.held.size - shortage.limit))
      chosen.delete(holder);
  }
  return [...chosen];
}

function freedIn({ held }: Shortage, chosen: ReadonlySet<Holder>): number {
  return [...chosen].filter(({ id }) => held.has(id)).length;
}

function yieldingIn(
  { held }: Shortage,
  { priority }: Candidate,
  holders: ReadonlyMap<MoveId, Holder>,
): readonly Holder[] {
  return [...held]
    .flatMap((id) => holders.get(id) ?? [])
    .filter((holder) => holder.mayBeSetBack && holder.priority < priority)
    .sort(byYielding);
}

/** The least urgent first, and of those the youngest. */
function byYielding(one: Holder, other: Holder): number {
  return one.priority - other.priority || byAge(other, one);
}

function byAge(one: Candidate, other: Candidate): number {
  return one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1);
}
