import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseAddress } from '../../local/demo/content.ts';
import type { Move } from '../../shared/domain/move.ts';
import { leftBehind } from '../support/left-behind.ts';
import type { Course } from './course.ts';
import type { Ground } from './ground.ts';

/** How long a move may take to its end, and its leavings to go, in milliseconds. */
const END_LIMIT_MS = 120_000;
const TIDY_LIMIT_MS = 60_000;

/** How moves end for good. */
const ended = new Set(['completed', 'rolled-back', 'stuck']);

/** The move of a course, once it has ended; as it stands when it does not. */
export async function untilEnded({ fleet }: Ground, course: Course): Promise<Move> {
  const limit = Date.now() + END_LIMIT_MS;
  while (!ended.has(course.now?.state ?? '') && Date.now() < limit) await sleep(20);
  const move = course.move === undefined ? undefined : await fleet.services.store.load('move', course.move);
  if (move === undefined) throw new Error('the move was never planned');
  return move;
}

/** How a superuser reaches the tenant's database where it is now. */
export async function addressOf({ fleet, tenant, server }: Ground): Promise<DatabaseAddress> {
  const placement = await fleet.placement(tenant.name);
  if (placement === undefined) throw new Error(`there is no endpoint ${tenant.name}`);
  return { ...server(placement.host).address, database: placement.database };
}

/** What is left of a move when nothing more goes: on the hosts, and in the table. */
export async function remainsOf(ground: Ground, move: Move): Promise<string[]> {
  const limit = Date.now() + TIDY_LIMIT_MS;
  for (;;) {
    const left = [...(await onHosts(ground)), ...(await inTable(ground, move))];
    if (left.length === 0 || Date.now() > limit) return left;
    await sleep(250);
  }
}

async function onHosts({ servers, tenant, fleet }: Ground): Promise<string[]> {
  const serving = (await fleet.placement(tenant.name))?.host;
  const found = await Promise.all(
    servers.map(async (server) => {
      const client = await server.connect();
      try {
        const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [
          tenant.database,
        ]);
        const is = (rowCount ?? 0) > 0;
        const fault = is === (server.name === serving) ? [] : [`database ${tenant.database}: ${String(is)}`];
        return [...fault, ...(await leftBehind(server))].map((name) => `${name} on ${server.name}`);
      } finally {
        await client.end();
      }
    }),
  );
  return found.flat();
}

async function inTable(
  { fleet }: Ground,
  { id, execution, endpoint, source, target }: Move,
): Promise<string[]> {
  const { store } = fleet.services;
  const left: string[] = [];
  const placement = await store.load('endpoint', { endpoint });
  if (placement?.claim !== undefined) left.push('claim of the endpoint');
  if (placement?.arbitration.kind !== 'serving') left.push(`endpoint ${String(placement?.arbitration.kind)}`);
  for (const name of [source, target]) {
    const cleanup = await store.load('cleanup', { move: id, run: execution.run, host: name });
    for (const { key } of cleanup?.items ?? []) left.push(`cleanup record ${key} of ${name}`);
    const host = await store.load('host', { name });
    if (host?.permitsIn.includes(id) === true || host?.permitsOut.includes(id) === true)
      left.push(`permit of ${name}`);
    if (host?.reserved[id] !== undefined) left.push(`reservation on ${name}`);
  }
  return left;
}
