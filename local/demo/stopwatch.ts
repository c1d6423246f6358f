/** Times moves by looking on. */
import type { BatchSnapshot } from '../../shared/workflow/explain/batch-snapshot.ts';
import { isSettled, labelOf } from '../../shared/domain/move.ts';

/** From the first work on each move to its end, as a watcher sees it. */
export class Stopwatch {
  readonly #begun = new Map<string, number>();
  readonly #ended = new Map<string, number>();

  /** Passes snapshots on, and takes the times. */
  async *watch(snapshots: AsyncIterable<BatchSnapshot>): AsyncGenerator<BatchSnapshot, void, void> {
    for await (const snapshot of snapshots) {
      for (const { id, execution } of snapshot.moves) {
        const label = labelOf(execution);
        if (label !== 'waiting' && !this.#begun.has(id)) this.#begun.set(id, snapshot.at);
        if (isSettled(label) && !this.#ended.has(id)) this.#ended.set(id, snapshot.at);
      }
      yield snapshot;
    }
  }

  /** Seconds that a move took; undefined while it has not ended. */
  seconds(move: string): number | undefined {
    const [begun, ended] = [this.#begun.get(move), this.#ended.get(move)];
    return begun === undefined || ended === undefined ? undefined : (ended - begun) / 1_000;
  }
}
