import type { Host, Intent } from '../../domain/host.ts';
import { isMoveId, type HostName, type MoveId } from '../../domain/ids.ts';
import { failedSince } from '../../domain/health.ts';
import { isSettled, labelOf } from '../../domain/move.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';
import { unknownHost } from './known-host.ts';
import { Refused } from './record-request.ts';

export interface Wanted {
  readonly host: HostName;
  readonly reason: string;
  /** The publisher's own count. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly deadline?: number;
}

/**
 * People's intents are ordered by their own sequence: one that arrives late changes nothing, and is told so.
 * @param check may refuse, by the row that the intent is then written on
 */
export async function setIntent(
  { store }: Pick<Services, 'store'>,
  wanted: Wanted,
  value: Intent,
  check: (host: Host) => Promise<void> = async () => Promise.resolve(),
): Promise<void> {
  const { host: name, sequence, reason, deadline } = wanted;
  for (;;) {
    const host = await store.load('host', { name });
    if (host === undefined) throw unknownHost(name, 'data.host');
    const held = host.intent;
    if (held.sequence === sequence && held.value === value) return;
    if (held.sequence >= sequence) {
      throw new Refused({
        code: 'intent-superseded',
        field: 'data.sequence',
        sentence: `${name} has a newer intent (${held.value}, sequence ${String(held.sequence)})`,
        cure: 'publish with a higher sequence if this is what is wanted now',
      });
    }
    await check(host);
    const intent = { value, sequence, reason, ...(deadline === undefined ? {} : { deadline }) };
    if ((await store.commit('host', host, { ...host, intent })).kind === 'committed') return;
  }
}

type RemovalServices = Pick<Services, 'store' | 'views' | 'log'>;

/**
 * The host is taken away: nothing arrives there any more, and nobody looks at it. Its row stays, so that what was
 * once said of it can still be read, and an uncordon takes it back.
 *
 * @throws Refused `host-in-use`
 */
export async function removeHost(services: RemovalServices, wanted: Wanted): Promise<void> {
  await setIntent(services, wanted, 'retired', async (host) => {
    const { name } = host;
    const moves = await movesTouching(services, host);
    if (moves.length > 0) {
      throw inUse(
        name,
        `${counted(moves.length, 'move is', 'moves are')} under way to or from it: ${few(moves)}`,
        'wait for them',
      );
    }
    const endpoints = await endpointsOn(services, name);
    if (endpoints.length > 0) {
      throw inUse(
        name,
        `it holds ${counted(endpoints.length, 'endpoint', 'endpoints')}: ${few(endpoints)}`,
        `move everything off it first (dray drain ${name} --reason …)`,
      );
    }
    // Of a host that has failed nothing can be cleared away: what is left there goes with it.
    if (failedSince(host) !== undefined) return;
    const { items } = await services.views.cleanupsOn(name);
    if (items.length > 0) {
      throw inUse(
        name,
        `moves have left things there, of which copies are kept until they are retired: ${few(items.map(({ move }) => move))}`,
        `wait until they are retired, or say that it has failed (dray host fail ${name})`,
      );
    }
  });
}

/** Those that hold a permit or space there, and have not ended. */
async function movesTouching(
  services: RemovalServices,
  { permitsOut, permitsIn, reserved }: Host,
): Promise<MoveId[]> {
  const ids = [...new Set([...permitsOut, ...permitsIn, ...Object.keys(reserved).filter(isMoveId)])];
  const moves = await loadReadable(
    services,
    'move',
    ids.map((id) => ({ id })),
  );
  return ids.filter((_, index) => {
    const move = moves[index];
    // One that cannot be read may be under way; one that is not there yet is being planned.
    return move === undefined || move === 'unreadable' || !isSettled(labelOf(move.execution));
  });
}

/** A page of them at the most: one is too many. */
async function endpointsOn(services: RemovalServices, name: HostName): Promise<string[]> {
  const { items } = await services.views.endpointsOn(name);
  const placements = await loadReadable(
    services,
    'endpoint',
    items.map((endpoint) => ({ endpoint })),
  );
  return items.filter((_, index) => {
    const placement = placements[index];
    return placement === 'unreadable' || placement?.host === name;
  });
}

function inUse(name: HostName, why: string, cure: string): Refused {
  return new Refused({
    code: 'host-in-use',
    field: 'data.host',
    sentence: `${name} cannot be removed: ${why}`,
    cure: `${cure}, and remove it then`,
  });
}

const counted = (count: number, one: string, many: string): string =>
  `${String(count)} ${count === 1 ? one : many}`;

const few = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
