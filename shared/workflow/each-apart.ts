import { RowUnreadable } from '../ports/failures.ts';
import type { Keys, RecordKind, Records } from '../ports/store.ts';
import type { Services } from './services.ts';

/**
 * Works on each item for itself, so that one that fails holds up no other; then throws what the first of them threw.
 * A row that cannot be read is told of and passed over: to try again would not make it readable.
 */
export async function eachApart<T>(
  { log }: Pick<Services, 'log'>,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const ends = await Promise.allSettled(items.map(async (item) => work(item)));
  const failed = ends.flatMap((end) => (end.status === 'rejected' ? [asError(end.reason)] : []));
  for (const error of failed)
    if (error instanceof RowUnreadable) log.error('a row cannot be read', { error });
  const first = failed.find((error) => !(error instanceof RowUnreadable));
  if (first !== undefined) throw first;
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/** As `loadMany`; `unreadable` stands in the place of a row that cannot be read. */
export async function loadReadable<K extends RecordKind>(
  { store, log }: Pick<Services, 'store'> & Partial<Pick<Services, 'log'>>,
  kind: K,
  keys: readonly Keys[K][],
): Promise<readonly (Records[K] | 'unreadable' | undefined)[]> {
  return Promise.all(keys.map(async (key) => store.load(kind, key).catch(orUnreadable)));

  function orUnreadable(error: unknown): 'unreadable' {
    if (!(error instanceof RowUnreadable)) throw error;
    log?.error('a row cannot be read', { error });
    return 'unreadable';
  }
}
