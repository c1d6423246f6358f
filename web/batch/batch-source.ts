import { batchAnswer } from '../../shared/contracts/api/batches.ts';
import { moveAnswer, moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { batchOf, moveOf } from '../../shared/contracts/api/told.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { labelOf, moveLabels, type MoveLabel, type Move } from '../../shared/domain/move.ts';
import { eachOf, type Api } from '../api/api.ts';
import { Explainer, type Explained } from '../api/explainer.ts';
import type { Source } from '../api/feed.ts';
import { Unanswered, isUnknown } from '../api/trouble.ts';
import { likeThem, whichToRead, type ListedMove } from './sample.ts';

/** A batch as it was at one moment. */
export interface BatchNow {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly batch: Batch;
  /** Those that were read one by one. */
  readonly moves: readonly Move[];
  /** Those that were not, taken to be like one that was. */
  readonly alike: readonly Move[];
  /** Moves that are listed in the states that were asked for. */
  readonly listed: number;
  readonly explained: Explained;
}

const everyMs = 2_000;
const overMs = 20_000;
const abreast = 6;
/** Of one state. More are neither listed nor drawn. */
const mostListed = 2_000;
/** Rows that one look reads. */
const mostRead = 24;

/** Reads a batch: the row, the lists of its moves by state, and the rows of those moves that tell most. */
export class BatchSource implements Source<BatchNow> {
  readonly #id: BatchId;
  readonly #moves = new Map<string, { readonly move: Move; readonly readAt: number }>();
  readonly #explainer: Explainer;
  #explained: Explained = {};
  #isWhole = false;

  constructor(id: BatchId) {
    this.#id = id;
    this.#explainer = new Explainer(`/batches/${id}`);
  }

  readonly everyMs = ({ batch }: BatchNow): number =>
    batch.state === 'completed' && this.#isWhole ? overMs : everyMs;

  readonly read = async (api: Api, tell: (value: BatchNow) => void): Promise<BatchNow> => {
    const batch = batchOf(await api.get(`/batches/${this.#id}`, batchAnswer));
    const listed = await this.#list(api, batch);
    const now = (): BatchNow => {
      const moves = listed.flatMap(({ move }) => this.#moves.get(move)?.move ?? []);
      return {
        ...{ at: Date.now(), batch, moves, explained: this.#explained },
        alike: likeThem(listed, moves),
        listed: listed.length,
      };
    };
    tell(now());
    const [explained] = await Promise.all([
      this.#explainer.explain(api, `${batch.state} ${String(batch.version)}`),
      this.#readMoves(api, listed),
    ]);
    this.#explained = explained;
    return now();
  };

  /** The lists that have anything in them, by the batch's counts: while it is being planned those may lag. */
  async #list(api: Api, { state, counts }: Batch): Promise<readonly ListedMove[]> {
    const found = new Map<string, ListedMove>();
    const asked = moveLabels.filter((label) => state === 'planning' || (counts[label] ?? 0) > 0);
    await eachOf(asked, abreast, async (label) => {
      const path = `/batches/${this.#id}/moves`;
      for (const move of await api.list(path, 'moves', moveOfBatch, { state: label }, mostListed))
        found.set(move.move, move);
    });
    return [...found.values()].toSorted((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
  }

  async #readMoves(api: Api, listed: readonly ListedMove[]): Promise<void> {
    const known = new Map<string, { readonly label: MoveLabel; readonly readAt: number }>();
    for (const [id, { move, readAt }] of this.#moves)
      known.set(id, { label: labelOf(move.execution), readAt });
    const wanted = whichToRead(listed, known, Date.now(), mostRead);
    this.#isWhole = wanted.length < mostRead;
    await eachOf(wanted, abreast, async (id) => {
      const move = await found(api, id);
      if (move !== undefined) this.#moves.set(id, { move, readAt: Date.now() });
    });
  }
}

/** Lists lag behind rows: what is listed may be gone. */
async function found(api: Api, id: string): Promise<Move | undefined> {
  try {
    return moveOf(await api.get(`/moves/${id}`, moveAnswer));
  } catch (error) {
    if (error instanceof Unanswered && isUnknown(error.trouble)) return undefined;
    throw error;
  }
}
