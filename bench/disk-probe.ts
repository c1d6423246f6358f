import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 20;
const PAGE = Buffer.alloc(8_192, 1);

/** A sync that took long, and when it had begun: milliseconds since the epoch. */
interface Sync {
  readonly from: number;
  readonly ms: number;
}

/**
 * Does all the time what a commit asks of the disk: writes one page of a file of its own, and waits until it is there.
 * What it waits for longest is the machine's doing, and whoever commits beside it has waited as long.
 */
export class DiskProbe {
  readonly #syncs: Sync[] = [];
  readonly #ended = new AbortController();
  readonly #run: Promise<void>;

  /** Begins at once, in a file below `folder`, which should be on the disk of the servers. */
  constructor(folder: string) {
    this.#run = this.#probe(path.join(folder, 'probe'));
  }

  /** The longest sync since then, in milliseconds. */
  longest(since: number): number {
    return Math.max(0, ...this.#syncs.filter(({ from, ms }) => from + ms >= since).map(({ ms }) => ms));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#run;
  }

  async #probe(name: string): Promise<void> {
    const { signal } = this.#ended;
    const file = await open(name, 'w');
    try {
      while (!signal.aborted) {
        const from = Date.now();
        await file.write(PAGE, 0, PAGE.length, 0);
        await file.datasync();
        const ms = Date.now() - from;
        if (ms >= EVERY_MS) this.#syncs.push({ from, ms });
        await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      await file.close();
      await rm(name, { force: true });
    }
  }
}
