import type { CleanupEntry, CleanupRecord } from '../../domain/cleanup.ts';
import { TokenSuperseded } from '../../domain/failure.ts';
import type { HostName } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { CleanupLedger } from '../../ports/driver.ts';
import type { Store } from '../../ports/store.ts';

/**
 * The cleanup records of one run of a move, one row a host. Rows that hold nothing any more are removed.
 *
 * @param token of the worker that writes: it throws `TokenSuperseded` once a newer one has written. Without one
 * (the sweep, once a move has ended) everybody's stands.
 */
export function cleanupLedger(store: Store, move: Move, token?: number): CleanupLedger {
  const keyOf = (host: HostName) => ({ move: move.id, run: move.execution.run, host });

  async function change(
    host: HostName,
    edit: (items: readonly CleanupEntry[]) => readonly CleanupEntry[],
  ): Promise<void> {
    for (;;) {
      const before = await store.load('cleanup', keyOf(host));
      if (token !== undefined && (before?.token ?? 0) > token) {
        throw new TokenSuperseded(`the cleanup records of ${move.id} on ${host} are a newer worker's`);
      }
      const items = edit(before?.items ?? []);
      if (await write(host, before, items)) return;
    }
  }

  async function write(
    host: HostName,
    before: CleanupRecord | undefined,
    items: readonly CleanupEntry[],
  ): Promise<boolean> {
    const by = token === undefined ? {} : { token };
    if (before === undefined) {
      if (items.length === 0) return true;
      return (await store.insert('cleanup', { ...keyOf(host), items, ...by, version: 1 })) === 'inserted';
    }
    if (items.length === 0) return (await store.remove('cleanup', before)) === 'removed';
    return (await store.commit('cleanup', before, { ...before, items, ...by })).kind === 'committed';
  }

  return {
    async record(host, items) {
      if (items.length === 0) return;
      const keys = new Set(items.map((item) => item.key));
      await change(host, (held) => [...held.filter((item) => !keys.has(item.key)), ...items]);
    },
    async forget(host, keys) {
      await change(host, (held) => held.filter((item) => !keys.includes(item.key)));
    },
    async list(host) {
      return (await store.load('cleanup', keyOf(host)))?.items ?? [];
    },
  };
}
