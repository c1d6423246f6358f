import { explainBatch } from '../../domain/explain-batch.ts';
import { explainEndpoint } from '../../domain/explain-endpoint.ts';
import { explainMove, type Explanation } from '../../domain/explain.ts';
import { explainHost } from '../../domain/explain-host.ts';
import { stageOf } from '../../domain/healing.ts';
import type { Host } from '../../domain/host.ts';
import type { BatchId, EndpointName, HostName, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import { readFleet } from '../fleet-record.ts';
import { storedOn } from '../planning/fleet.ts';
import type { BatchSnapshot } from './batch-snapshot.ts';
import { etaOfBatch } from './eta-of-batch.ts';
import { readBatch } from './look-at-batch.ts';
import { limitsFor, outlookOn, type ExplainServices } from './outlook.ts';

/**
 * What goes on with something, why it does not go on, and what a person can do: the same for `dray explain` and for the
 * API. Each answers undefined when there is no such thing.
 */

/** @param mostMoves of a larger batch only so many moves are looked at */
export async function explainBatchNow(
  services: ExplainServices,
  id: BatchId,
  mostMoves?: number,
): Promise<Explanation | undefined> {
  const snapshot = await readBatch(services, id, mostMoves);
  if (snapshot === undefined) return undefined;
  const explanation = await explainSnapshot(services, snapshot);
  const eta = etaOfBatch(snapshot);
  return { ...explanation, ...(eta === undefined ? {} : { eta }) };
}

/** A batch and its moves, with the limits at which they wait. */
export async function explainSnapshot(
  services: ExplainServices,
  { batch, moves, hosts, at, said = { fleet: {} }, unread = {} }: BatchSnapshot,
): Promise<Explanation> {
  const limitOf = await limitsFor(services, moves);
  return explainBatch(batch, moves, hosts, at, {
    ...said,
    unread,
    ...(limitOf === undefined ? {} : { limitOf }),
  });
}

export async function explainMoveNow(
  services: ExplainServices,
  id: MoveId,
): Promise<Explanation | undefined> {
  const move = await services.store.load('move', { id });
  if (move === undefined) return undefined;
  const hosts = await hostsOf(services, move);
  return explainMove(move, hosts, await outlookOn(services, move, hosts));
}

/** With the move that has it, or else the last one that had it. */
export async function explainEndpointNow(
  services: ExplainServices,
  endpoint: EndpointName,
): Promise<Explanation | undefined> {
  const { store } = services;
  const placement = await store.load('endpoint', { endpoint });
  if (placement === undefined) return undefined;
  const id = placement.claim?.move ?? placement.lastMove;
  const move = id === undefined ? undefined : await store.load('move', { id });
  if (move === undefined) return explainEndpoint(placement, move);
  const hosts = await hostsOf(services, move);
  return explainEndpoint(placement, move, hosts, await outlookOn(services, move, hosts));
}

export async function explainHostNow(
  services: ExplainServices,
  name: HostName,
): Promise<Explanation | undefined> {
  const host = await services.store.load('host', { name });
  if (host === undefined) return undefined;
  const now = services.clock.now();
  const [{ knobs }, stored] = await Promise.all([readFleet(services), storedOn(services, name)]);
  return explainHost(host, stored, now, stageOf(host, knobs, now));
}

/** The two hosts of a move, as far as they are known. */
export async function hostsOf(
  { store }: Pick<ExplainServices, 'store'>,
  move: Move,
): Promise<Map<HostName, Host>> {
  const hosts = await store.loadMany('host', [{ name: move.source }, { name: move.target }]);
  return new Map(hosts.flatMap((host) => (host === undefined ? [] : [[host.name, host] as const])));
}
