import type { Batch } from '../shared/domain/batch.ts';
import type { Host } from '../shared/domain/host.ts';
import type { EndpointName, HostName, MoveId } from '../shared/domain/ids.ts';
import type { Move } from '../shared/domain/move.ts';
import { moveIdOf } from '../shared/workflow/planning/plan-batch.ts';
import type { Client } from './client.ts';
import { CliError } from './cli-error.ts';
import { everyPage } from './watch-batch.ts';

/** @throws CliError `move-unknown` */
export async function findMove({ store }: Client, id: MoveId): Promise<Move> {
  const move = await store.load('move', { id });
  if (move !== undefined) return move;
  throw new CliError({
    code: 'move-unknown',
    sentence: `There is no move ${id}`,
    cure: 'dray explain <endpoint> and dray batch show <id> name the moves there are',
  });
}

/** The two hosts of a move, as far as they are known. */
export async function hostsOf({ store }: Client, move: Move): Promise<Map<HostName, Host>> {
  const hosts = await store.loadMany('host', [{ name: move.source }, { name: move.target }]);
  return new Map(hosts.flatMap((host) => (host === undefined ? [] : [[host.name, host] as const])));
}

/** All batches, newest first. */
export async function allBatches({ store, views }: Client): Promise<Batch[]> {
  const ids = await everyPage((cursor) => views.batches(cursor));
  const batches = await store.loadMany(
    'batch',
    ids.map((id) => ({ id })),
  );
  return batches.flatMap((batch) => batch ?? []).sort((one, other) => other.createdAt - one.createdAt);
}

/** Batches in which the last move of an endpoint is looked for. */
const recentBatches = 200;

/** The newest move of an endpoint, whoever holds it now. */
export async function lastMoveOf(client: Client, endpoint: EndpointName): Promise<Move | undefined> {
  const batches = (await allBatches(client)).slice(0, recentBatches);
  const moves = await client.store.loadMany(
    'move',
    batches.map((batch) => ({ id: moveIdOf(client, batch, endpoint) })),
  );
  return moves.find((move) => move !== undefined);
}
