import { explainMove } from '../../shared/domain/explain.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Arbitration, Placement } from '../../shared/domain/placement.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { MemoryChange } from './memory-table.ts';
import { readRecord } from './memory-store.ts';

/** Why a move does not go on, or has not gone on, as `dray explain` shows it. */
export interface Told {
  readonly code: string;
  readonly sentence: string;
  readonly cure: string | undefined;
}

/** One transition of the move: who, what, and where it stood then. */
export interface Entry {
  readonly fact: string;
  readonly by: string;
  readonly at: number;
  readonly state: string;
  readonly step: string | undefined;
}

/** Everything that the rows of a move and of its endpoint have said, in order. */
export class MoveDiary {
  /** What the move was seen to be kept by. */
  readonly told: Told[] = [];
  readonly history: Entry[] = [];
  /** What the placement row has said, and since when. */
  readonly arbitrations: { readonly kind: Arbitration['kind']; readonly at: number }[] = [];
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  note({ after }: MemoryChange): void {
    if (after?.sk === 'ENDPOINT') this.#noteArbitration(readRecord('endpoint', after));
    if (after?.sk === 'MOVE') this.#noteMove(readRecord('move', after));
  }

  #noteArbitration({ arbitration: { kind } }: Placement): void {
    if (this.arbitrations.at(-1)?.kind !== kind) this.arbitrations.push({ kind, at: this.#clock.now() });
  }

  #noteMove(move: Move): void {
    const { status, last } = move.execution;
    this.history.push({
      ...last,
      state: status.state,
      step: 'step' in status ? status.step : undefined,
    });
    for (const { code, on, cure } of explainMove(move).blockers) {
      if (!this.told.some((known) => known.code === code && known.sentence === on))
        this.told.push({ code, sentence: on, cure });
    }
  }
}
