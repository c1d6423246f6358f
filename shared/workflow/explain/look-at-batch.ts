import type { Batch } from '../../domain/batch.ts';
import { mostMeasured } from '../../domain/eta.ts';
import type { Host } from '../../domain/host.ts';
import type { BatchId, HostName, MoveId } from '../../domain/ids.ts';
import { isSettled, labelOf, mostTellingLabels, type Move, type MoveLabel } from '../../domain/move.ts';
import type { LabelledMove } from '../../ports/store.ts';
import { everyPage } from '../every-page.ts';
import type { BatchSnapshot } from './batch-snapshot.ts';
import { saidOf, type ExplainServices } from './outlook.ts';

/** How often, and how many milliseconds apart, an index is asked again that cannot have everything yet. */
const lagLooks = 20;
const lagLookMs = 100;
const mostHosts = 50;

/**
 * A batch as it is now; undefined when there is none.
 * @param mostMoves of a larger batch only so many rows are read, those first that tell most
 */
export async function readBatch(
  services: ExplainServices,
  id: BatchId,
  mostMoves = Infinity,
): Promise<BatchSnapshot | undefined> {
  return new BatchLook(services, id, mostMoves).take();
}

/** Labels under which a move changes without changing its label. */
const lively: ReadonlySet<MoveLabel> = new Set(['transferring', 'cutting-over', 'rolling-back']);

/** Looks at a batch and reads again only what may have changed: a batch may have thousands of moves. */
export class BatchLook {
  readonly #services: ExplainServices;
  readonly #id: BatchId;
  readonly #mostMoves: number;
  readonly #moves = new Map<MoveId, Move>();
  #unread: NonNullable<BatchSnapshot['unread']> = {};

  constructor(services: ExplainServices, id: BatchId, mostMoves = Infinity) {
    this.#services = services;
    this.#id = id;
    this.#mostMoves = mostMoves;
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
    const unread = this.#unread;
    return {
      ...{ at: clock.now(), batch, moves, hosts, said },
      ...(Object.keys(unread).length === 0 ? {} : { unread }),
    };
  }

  /** A completed batch has all of its moves; the index may not have them yet. */
  #isIncomplete({ state, total = 0 }: Batch): boolean {
    return state === 'completed' && this.#moves.size < Math.min(total, this.#mostMoves);
  }

  async #readMoves(batch: Batch): Promise<void> {
    const { store, views } = this.#services;
    const all = await everyPage((cursor) => views.movesOf(this.#id, undefined, cursor));
    const listed = this.#mostTelling(all);
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

  /** Counts those that are passed over. */
  #mostTelling(listed: readonly LabelledMove[]): readonly LabelledMove[] {
    this.#unread = {};
    if (listed.length <= this.#mostMoves) return listed;
    const by = (label: MoveLabel): readonly LabelledMove[] => listed.filter((each) => each.label === label);
    const arrived = [...by('moved'), ...by('retired')].slice(0, Math.min(mostMeasured, this.#mostMoves / 2));
    const others = mostTellingLabels.flatMap(by).filter((each) => !arrived.includes(each));
    const chosen = new Set([...arrived, ...others.slice(0, this.#mostMoves - arrived.length)]);
    const unread: Partial<Record<MoveLabel, number>> = {};
    for (const each of listed) if (!chosen.has(each)) unread[each.label] = (unread[each.label] ?? 0) + 1;
    this.#unread = unread;
    return [...chosen];
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
