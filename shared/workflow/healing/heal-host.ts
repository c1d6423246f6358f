import {
  batchesOf,
  healer,
  healingId,
  healingPolicy,
  isLeftAlone,
  mostHealings,
  stageOf,
} from '../../domain/healing.ts';
import { failures } from '../../domain/health.ts';
import type { Host } from '../../domain/host.ts';
import { batchIdFrom, type BatchId, type EndpointName, type HostName } from '../../domain/ids.ts';
import { begunHealing } from '../../domain/news.ts';
import type { Placement } from '../../domain/placement.ts';
import { priorities } from '../../domain/priority.ts';
import { placeOfRequest } from '../../domain/trace.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import { readFleet } from '../fleet-record.ts';
import { openBatch } from '../requests/open-batch.ts';
import type { Services } from '../services.ts';
import { tellPeople } from '../tell-people.ts';
import { turnAway, type TurnServices } from './turn-away.ts';

export type HealingServices = TurnServices &
  Pick<Services, 'store' | 'views' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'tracer'>;

/**
 * Does what the failure of a host asks for, once the grace period is over: what was planned onto it goes elsewhere,
 * what leaves it goes first, and (unless healing is off) one batch moves away what nobody moves yet.
 *
 * Safe to call at any time and by several at once: a host that flaps, a failure that is told again and a sweep that
 * runs twice make nothing twice, and what was not done while healing was off is done by the next call.
 */
export async function healHost(services: HealingServices, name: HostName): Promise<void> {
  const host = await services.store.load('host', { name });
  if (host === undefined) return;
  const { knobs } = await readFleet(services);
  const stage = stageOf(host, knobs, services.clock.now());
  if (stage.kind !== 'failed') return;
  await turnAway(services, host);
  const placements = await placedOn(services, name);
  await hurry(services, placements);
  if (stage.heals) await evacuate(services, host, stage.since, placements);
}

async function placedOn(services: HealingServices, name: HostName): Promise<Placement[]> {
  const found: Placement[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.endpointsOn(name, cursor);
    const placements = await loadReadable(
      services,
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const placement of placements) {
      if (placement !== 'unreadable' && placement?.host === name) found.push(placement);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Moves that wait to leave go before all others: the host can perhaps still be read, but not for long. */
async function hurry(services: HealingServices, placements: readonly Placement[]): Promise<void> {
  const { store } = services;
  const moves = await loadReadable(
    services,
    'move',
    placements.flatMap(({ claim }) => (claim === undefined ? [] : [{ id: claim.move }])),
  );
  await eachApart(services, moves, async (move) => {
    if (move === undefined || move === 'unreadable') return;
    if (move.execution.status.state !== 'waiting' || move.priority >= priorities.failure) return;
    // A conflict: somebody has let it go, or ends it.
    await store.commit('move', move, { ...move, priority: priorities.failure });
  });
}

/**
 * One batch of all that nobody moves. Which it is stands in the host's row before it is opened, so that of several
 * sweeps one opens it; who finds it there and not in the table opens it under the same id.
 */
async function evacuate(
  services: HealingServices,
  host: Host,
  since: number,
  placements: readonly Placement[],
): Promise<void> {
  const { store, clock, log } = services;
  const announced = host.healing?.batches.at(-1);
  const last = announced === undefined ? undefined : await store.load('batch', { id: announced });
  // One healing at a time, also when the last one was about another failure.
  if (last !== undefined && last.state !== 'completed') return;
  const tried = batchesOf(host, since);
  const endpoints = await unmoved(services, placements, tried);
  if (endpoints.length === 0) return;
  const isUnopened = announced !== undefined && last === undefined && tried.includes(announced);
  if (isUnopened) {
    await open(services, host, host.healing?.since ?? since, host.healing?.batches.length ?? 1, endpoints);
    return;
  }
  if (tried.length >= mostHealings) {
    log.error('a failed host is no longer emptied by itself: again and again something comes to it', {
      host: host.name,
      endpoints: endpoints.slice(0, 10),
    });
    return;
  }
  const began = tried.length === 0 ? since : (host.healing?.since ?? since);
  const nth = tried.length + 1;
  const healing = {
    since: began,
    at: clock.now(),
    batches: [...tried, idOf(services, host.name, began, nth)],
  };
  if ((await store.commit('host', host, { ...host, healing })).kind === 'conflict') return;
  await open(services, host, began, nth, endpoints);
}

/** What is here, and nobody moves, and healing may: in the order of their names. */
async function unmoved(
  services: HealingServices,
  placements: readonly Placement[],
  tried: readonly BatchId[],
): Promise<EndpointName[]> {
  const free = placements.filter(({ claim }) => claim === undefined);
  const moves = await loadReadable(
    services,
    'move',
    free.flatMap(({ lastMove }) => (lastMove === undefined ? [] : [{ id: lastMove }])),
  );
  const leftAlone = new Set(
    moves.flatMap((move) =>
      // Of one that cannot be read nobody knows whether it may be moved again.
      move !== undefined && move !== 'unreadable' && isLeftAlone(move, tried) ? [move.endpoint] : [],
    ),
  );
  return free.flatMap(({ endpoint }) => (leftAlone.has(endpoint) ? [] : [endpoint])).sort();
}

async function open(
  services: HealingServices,
  host: Host,
  since: number,
  nth: number,
  endpoints: readonly EndpointName[],
): Promise<void> {
  const { name } = host;
  const id = healingId(name, since, nth);
  const opens = idOf(services, name, since, nth);
  const signals = failures(host);
  // Before the batch is there: whoever dies in between comes back for it.
  await tellPeople(services, begunHealing(name, opens, signals, endpoints.length));
  const order = {
    reason: `${name} has failed (${signals.join(', ')})`,
    selection: { kind: 'endpoints', endpoints },
    policy: healingPolicy(services.settings.healingRetentionMs),
    priority: priorities.failure,
  } as const;
  // Nobody has asked for it: this is where its trace begins.
  const head = { name: 'heal', at: placeOfRequest({ id: opens }), facts: { 'drayage.host': name } };
  await services.tracer.during(head, async () => {
    const batch = await openBatch(services, { source: healer, id }, order);
    services.log.warn('a failed host is emptied', { host: name, batch, endpoints: endpoints.length });
  });
}

const idOf = ({ chance }: Pick<Services, 'chance'>, host: HostName, since: number, nth: number): BatchId =>
  batchIdFrom(chance.digest('batch', healer, healingId(host, since, nth)));
