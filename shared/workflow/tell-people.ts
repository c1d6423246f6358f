import { stuckMove } from '../domain/news.ts';
import type { News, Notification } from '../domain/notification.ts';
import { isStuckUntold, type Move } from '../domain/move.ts';
import type { Services } from './services.ts';

/**
 * Has people told, once for an id, however often it is asked for. Call it before the commit that makes an end of what
 * there is to tell: whoever dies in between comes back, and asks again. The relay tells it from the stream; what was
 * lost there the sweep tells.
 *
 * @throws StoreUnavailable
 */
export async function tellPeople(
  { store, clock }: Pick<Services, 'store' | 'clock'>,
  news: News,
): Promise<void> {
  await store.insert('news', { ...news, at: clock.now(), version: 1 });
}

/** Sends it, and then notes that it was sent. A crash in between sends it twice, with the same id. */
export async function sendNotification(
  { store, bus, clock }: Pick<Services, 'store' | 'bus' | 'clock'>,
  notification: Notification,
): Promise<void> {
  if (notification.toldAt !== undefined) return;
  await bus.notify([notification]);
  // A conflict: another has sent it too.
  await store.commit('news', notification, { ...notification, toldAt: clock.now() });
}

/** Has people told that a move is stuck, and then notes on its row that this end is known. */
export async function tellStuck(services: Pick<Services, 'store' | 'clock'>, move: Move): Promise<void> {
  const { status } = move.execution;
  const news = isStuckUntold(move) ? stuckMove(move) : undefined;
  if (news === undefined || status.state !== 'stuck') return;
  await tellPeople(services, news);
  // A conflict: the move goes on, or another has told it.
  await services.store.commit('move', move, { ...move, stuckTold: status.endedAt });
}
