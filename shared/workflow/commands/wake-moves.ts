import type { Command } from '../../domain/command.ts';
import type { Fact } from '../../domain/fact.ts';
import { isGateCode } from '../../domain/gate.ts';
import type { BatchId, HostName, MoveId } from '../../domain/ids.ts';
import { permitWait, type Move } from '../../domain/move.ts';
import { eachApart, loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';
import { tellMove, type TellServices } from './tell-move.ts';

export type WakeServices = TellServices & Pick<Services, 'views' | 'log'>;

/**
 * Has everything looked at again that waits for a word of a person: what stands before its cutover, what was put
 * off, and what is in line. Safe to repeat; what is forgotten looks again by itself, later.
 */
export async function wakeMoves(
  services: WakeServices,
  ids: readonly MoveId[],
  by: string,
  { verb, reason }: Pick<Command, 'verb' | 'reason'>,
): Promise<void> {
  await eachApart(services, [...new Set(ids)], async (id) => {
    await tellMove(services, id, (move) => wakeUp(move, `${verb}: ${reason}`), by);
  });
  await services.bus.sendDispatch({});
}

function wakeUp(move: Move, note: string): Fact | undefined {
  const { status } = move.execution;
  const waits = 'waiting' in status && isGateCode(status.waiting.code);
  return waits ? { kind: 'woken', ...permitWait(move), note } : undefined;
}

/** Moves that hold a permit on a host: all that are under way there. */
export async function underWayOn({ store }: Pick<Services, 'store'>, name: HostName): Promise<MoveId[]> {
  const host = await store.load('host', { name });
  return host === undefined ? [] : [...host.permitsOut, ...host.permitsIn];
}

/** Moves that are under way anywhere. */
export async function underWay(services: Pick<Services, 'store' | 'views' | 'log'>): Promise<MoveId[]> {
  const ids: MoveId[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.hosts(cursor);
    const hosts = await loadReadable(
      services,
      'host',
      page.items.map((name) => ({ name })),
    );
    for (const host of hosts)
      if (host !== undefined && host !== 'unreadable') ids.push(...host.permitsOut, ...host.permitsIn);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

/** Moves of a batch that stand before or in their cutover. */
export async function cuttingOverOf({ views }: Pick<Services, 'views'>, batch: BatchId): Promise<MoveId[]> {
  const ids: MoveId[] = [];
  let cursor: string | undefined;
  do {
    const page = await views.movesOf(batch, 'cutting-over', cursor);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}
