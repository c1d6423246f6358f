import type * as z from 'zod';
import { batchInList } from '../../shared/contracts/api/batches.ts';
import { endpointOnHost } from '../../shared/contracts/api/endpoints.ts';
import { hostInList } from '../../shared/contracts/api/hosts.ts';
import { moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { eachOf, type Api } from '../api/api.ts';
import type { Source } from '../api/feed.ts';
import { travelling, type Journey } from './travel.ts';

export type ListedHost = z.output<typeof hostInList>;
export type ListedBatch = z.output<typeof batchInList>;
type ListedEndpoint = z.output<typeof endpointOnHost>;

/** The fleet as it was at one moment. */
export interface FleetNow {
  readonly hosts: readonly ListedHost[];
  /** By host. Hosts whose endpoints have not been read yet are not in it. */
  readonly endpoints: ReadonlyMap<string, readonly ListedEndpoint[]>;
  /** Those that are not completed. */
  readonly batches: readonly ListedBatch[];
  /** By endpoint. */
  readonly journeys: ReadonlyMap<string, Journey>;
  /** Moves by endpoint, of those that wait, or are stuck. */
  readonly standing: ReadonlyMap<string, { readonly move: string; readonly state: 'waiting' | 'stuck' }>;
}

/** `sim-2` before `sim-10`. */
const byName = new Intl.Collator('en', { numeric: true });

const everyMs = 2_000;
const abreast = 6;
/** Lists of endpoints that are read again in one look, where moves have ended; and one more in turn. */
const mostAgain = 4;
const mostWaiting = 5_000;
/** Lists of what waits are long and change little: not sooner than this (ms). */
const waitingEveryMs = 10_000;

/**
 * Reads the fleet. A look costs what has changed, and not what there is: the hosts, the open batches, the moves under
 * way, and the endpoints of those hosts only where moves have ended; one host more in turn, so that nothing stays
 * wrong for long.
 */
export class FleetSource implements Source<FleetNow> {
  #endpoints = new Map<string, readonly ListedEndpoint[]>();
  #journeys: ReadonlyMap<string, Journey> = new Map();
  #standing: FleetNow['standing'] = new Map();
  #stoodAt = -Infinity;
  #stoodFor = '';
  readonly #changed = new Set<string>();
  #turn = 0;

  readonly everyMs = (): number => everyMs;

  readonly read = async (api: Api, tell: (value: FleetNow) => void): Promise<FleetNow> => {
    const [listed, all] = await Promise.all([
      api.list('/hosts', 'hosts', hostInList),
      api.list('/batches', 'batches', batchInList, {}, 1),
    ]);
    const hosts = listed.toSorted((one, other) => byName.compare(one.host, other.host));
    const batches = all.filter(({ state }) => state !== 'completed');
    const journeys = await this.#underWay(api, batches);
    for (const [endpoint, { source, target }] of this.#journeys) {
      if (!journeys.has(endpoint)) this.#changed.add(source).add(target);
    }
    this.#journeys = journeys;
    await this.#readStanding(api, batches);
    const now = (): FleetNow => ({
      hosts,
      endpoints: new Map(this.#endpoints),
      batches,
      journeys,
      standing: this.#standing,
    });
    await this.#readEndpoints(api, hosts, () => {
      tell(now());
    });
    return now();
  };

  async #underWay(api: Api, batches: readonly ListedBatch[]): Promise<ReadonlyMap<string, Journey>> {
    const found = new Map<string, Journey>();
    const asked = batches.flatMap(({ batch, moves }) =>
      travelling.flatMap((state) => ((moves[state] ?? 0) > 0 ? [{ batch, state }] : [])),
    );
    await eachOf(asked, abreast, async ({ batch, state }) => {
      for (const { endpoint, move, source, target } of await movesIn(api, batch, state)) {
        const before = this.#journeys.get(endpoint);
        const since = before?.state === state ? before.since : Date.now();
        found.set(endpoint, { endpoint, move, source, target, state, since });
      }
    });
    return found;
  }

  async #readStanding(api: Api, batches: readonly ListedBatch[]): Promise<void> {
    const asked = batches.flatMap(({ batch, moves }) =>
      (['waiting', 'stuck'] as const).flatMap((state) => ((moves[state] ?? 0) > 0 ? [{ batch, state }] : [])),
    );
    const lists = JSON.stringify(asked);
    if (lists === this.#stoodFor && Date.now() - this.#stoodAt < waitingEveryMs) return;
    const found = new Map<string, { move: string; state: 'waiting' | 'stuck' }>();
    await eachOf(asked, abreast, async ({ batch, state }) => {
      for (const { endpoint, move } of await movesIn(api, batch, state)) found.set(endpoint, { move, state });
    });
    this.#standing = found;
    this.#stoodAt = Date.now();
    this.#stoodFor = lists;
  }

  async #readEndpoints(api: Api, hosts: readonly ListedHost[], step: () => void): Promise<void> {
    const names = hosts.map(({ host }) => host);
    const isThere = new Set(names);
    for (const host of this.#endpoints.keys()) if (!isThere.has(host)) this.#endpoints.delete(host);
    const unread = names.filter((host) => !this.#endpoints.has(host));
    const inTurn = names[this.#turn++ % Math.max(1, names.length)];
    const again = [...this.#changed].filter((host) => this.#endpoints.has(host)).slice(0, mostAgain);
    const wanted = new Set([...unread, ...again, ...(inTurn === undefined ? [] : [inTurn])]);
    let told = 0;
    await eachOf([...wanted], abreast, async (host) => {
      const endpoints = await api.list(
        `/hosts/${encodeURIComponent(host)}/endpoints`,
        'endpoints',
        endpointOnHost,
      );
      this.#endpoints.set(host, endpoints);
      this.#changed.delete(host);
      told += 1;
      if (unread.length > abreast && told % abreast === 0) step();
    });
  }
}

const movesIn = async (api: Api, batch: string, state: string) =>
  api.list(`/batches/${batch}/moves`, 'moves', moveOfBatch, { state }, mostWaiting);
