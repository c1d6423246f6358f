import type { CleanupEntry } from '../../shared/domain/cleanup.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import type { CleanupLedger } from '../../shared/ports/driver.ts';

/** The death of a worker, wherever a test wants it. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** A ledger in memory that outlives the workers of a test, and can end one at any of its calls. */
export class TrialLedger implements CleanupLedger {
  readonly #entries = new Map<HostName, Map<string, CleanupEntry>>();
  /** Asked before an entry is first recorded. */
  beforeRecord: (host: HostName, fresh: readonly CleanupEntry[]) => Promise<void> = () => Promise.resolve();
  /** A worker dies at this call from now, counted from 1, before or after it took effect. */
  deathAt: { readonly call: number; readonly when: 'before' | 'after' } | undefined;
  #calls = 0;

  async record(host: HostName, items: readonly CleanupEntry[]): Promise<void> {
    const known = this.#on(host);
    await this.beforeRecord(
      host,
      items.filter(({ key }) => !known.has(key)),
    );
    this.#mortally(() => {
      for (const item of items) known.set(item.key, item);
    });
  }

  forget(host: HostName, keys: readonly string[]): Promise<void> {
    this.#mortally(() => {
      for (const key of keys) this.#on(host).delete(key);
    });
    return Promise.resolve();
  }

  list(host: HostName): Promise<readonly CleanupEntry[]> {
    return Promise.resolve([...this.#on(host).values()]);
  }

  keys(host: HostName): string[] {
    return [...this.#on(host).keys()];
  }

  /** Lets a worker die at call number `call` from here. */
  die(call: number, when: 'before' | 'after'): void {
    this.#calls = 0;
    this.deathAt = { call, when };
  }

  #mortally(effect: () => void): void {
    this.#calls += 1;
    const death = this.deathAt?.call === this.#calls ? this.deathAt : undefined;
    if (death?.when === 'before') throw new Died('before a record');
    effect();
    if (death !== undefined) throw new Died('after a record');
  }

  #on(host: HostName): Map<string, CleanupEntry> {
    const known = this.#entries.get(host) ?? new Map<string, CleanupEntry>();
    this.#entries.set(host, known);
    return known;
  }
}
