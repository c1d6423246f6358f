import type { Batch } from '../shared/domain/batch.ts';
import type { Host } from '../shared/domain/host.ts';
import type { BatchId, HostName, MoveId } from '../shared/domain/ids.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from '../shared/domain/move.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { Page, Store, Views } from '../shared/ports/store.ts';
import type { BatchSnapshot } from './batch-report.ts';
import { saidOf } from './said.ts';

export interface WatchServices {
  readonly store: Store;
  readonly views: Views;
  readonly clock: Clock;
}

export interface WatchOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Milliseconds between two looks, at least. By default 250. */
  readonly everyMs?: number;
}

/** Looks take no more of the time than this. */
const restPerWork = 3;
/** How often, and how many milliseconds apart, an index is asked again that cannot have everything yet. */
const lagLooks = 20;
const lagLookMs = 100;
const mostHosts = 50;

/**
 * A batch, again and again, until it is completed or `signal` is aborted; the last look is exact. Nothing is
 * yielded for a batch that does not exist.
 */
export async function* watchBatch(
  services: WatchServices,
  id: BatchId,
  { signal, everyMs = 250 }: WatchOptions = {},
): AsyncGenerator<BatchSnapshot, void, void> {
  const { clock } = services;
  const look = new BatchLook(services, id);
  while (signal?.aborted !== true) {
    const began = clock.now();
    const snapshot = await look.take();
    if (snapshot === undefined) return;
    yield snapshot;
    if (snapshot.batch.state === 'completed') return;
    await clock.sleep(Math.max(everyMs, restPerWork * (clock.now() - began)), signal);
  }
}

/** A batch as it is now; undefined when there is none. */
export async function readBatch(services: WatchServices, id: BatchId): Promise<BatchSnapshot | undefined> {
  return new BatchLook(services, id).take();
}

/** Labels under which a move changes without changing its label. */
const lively: ReadonlySet<MoveLabel> = new Set(['transferring', 'cutting-over', 'rolling-back']);

/** Looks at a batch and reads again only what may have changed: a batch may have thousands of moves. */
class BatchLook {
  readonly #services: WatchServices;
  readonly #id: BatchId;
  readonly #moves = new Map<MoveId, Move>();

  constructor(services: WatchServices, id: BatchId) {
    this.#services = services;
    this.#id = id;
  }

  async take(): Promise<BatchSnapshot | undefined> {
    const { store, clock } = this.#services;
    // Before its moves: what a completed batch says is then true of all of them.
    const batch = await store.load('batch', { id: this.#id });
    if (batch === undefined) return undefined;
    await this.#readMoves(batch);
    for (let nth = 0; nth < lagLooks && this.#isIncomplete(batch); nth += 1) {
      await clock.sleep(lagLookMs);
      await this.#readMoves(batch);
    }
    const moves = [...this.#moves.values()].sort((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
    const [hosts, said] = await Promise.all([this.#hostsOf(moves), saidOf(this.#services, batch)]);
    return { at: clock.now(), batch, moves, hosts, said };
  }

  /** A completed batch has all of its moves; the index may not have them yet. */
  #isIncomplete({ state, total = 0 }: Batch): boolean {
    return state === 'completed' && this.#moves.size < total;
  }

  async #readMoves(batch: Batch): Promise<void> {
    const { store, views } = this.#services;
    const listed = await everyPage((cursor) => views.movesOf(this.#id, undefined, cursor));
    const stale = listed.flatMap(({ id, label }) => (this.#isStale(id, label) ? [id] : []));
    // The index lags behind, but a batch is completed only when all of its moves have settled.
    const unsettled =
      batch.state === 'completed'
        ? [...this.#moves.values()].flatMap(({ id, execution }) =>
            isSettled(labelOf(execution)) ? [] : [id],
          )
        : [];
    const wanted = [...new Set([...stale, ...unsettled])];
    const read = await store.loadMany(
      'move',
      wanted.map((id) => ({ id })),
    );
    for (const move of read) if (move !== undefined) this.#moves.set(move.id, move);
  }

  /** Hosts for which moves wait: they tell what for. */
  async #hostsOf(moves: readonly Move[]): Promise<Map<HostName, Host>> {
    const waiting = moves.filter(({ execution }) => execution.status.state === 'waiting');
    const names = new Set(waiting.flatMap(({ source, target }) => [source, target]));
    const hosts = await this.#services.store.loadMany(
      'host',
      [...names].slice(0, mostHosts).map((name) => ({ name })),
    );
    return new Map(hosts.flatMap((host) => (host === undefined ? [] : [[host.name, host]])));
  }

  #isStale(id: MoveId, label: MoveLabel): boolean {
    const known = this.#moves.get(id);
    return known === undefined || lively.has(label) || labelOf(known.execution) !== label;
  }
}

/** All items of a listing, page after page. */
export async function everyPage<T>(turn: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await turn(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}
