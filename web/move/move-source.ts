import type * as z from 'zod';
import { batchAnswer } from '../../shared/contracts/api/batches.ts';
import { historyAnswer, moveAnswer } from '../../shared/contracts/api/moves.ts';
import { batchOf, moveOf } from '../../shared/contracts/api/told.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import type { BatchId, MoveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Api } from '../api/api.ts';
import { Explainer, type Explained } from '../api/explainer.ts';
import type { Source } from '../api/feed.ts';
import { isUnknown, Unanswered } from '../api/trouble.ts';

export type HistoryEntry = z.output<typeof historyAnswer>;

/** A move as it was at one moment. */
export interface MoveNow {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly move: Move;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Undefined: its row is gone. */
  readonly batch: Batch | undefined;
  readonly explained: Explained;
}

const everyMs = 1_500;
const overMs = 20_000;

export function moveSource(id: MoveId): Source<MoveNow> {
  const explainer = new Explainer(`/moves/${id}`);
  return {
    everyMs: ({ move }) => (isTerminal(move.execution.status.state) ? overMs : everyMs),
    read: async (api) => {
      const [answer, history] = await Promise.all([
        api.get(`/moves/${id}`, moveAnswer),
        api.list(`/moves/${id}/history`, 'history', historyAnswer),
      ]);
      const move = moveOf(answer);
      const [batch, explained] = await Promise.all([
        batchIfThere(api, move.batch),
        explainer.explain(api, String(move.version)),
      ]);
      return { at: Date.now(), move, history, batch, explained };
    },
  };
}

/** A batch may be gone when one looks at what it has moved. */
async function batchIfThere(api: Api, id: BatchId): Promise<Batch | undefined> {
  try {
    return batchOf(await api.get(`/batches/${id}`, batchAnswer));
  } catch (error) {
    if (error instanceof Unanswered && isUnknown(error.trouble)) return undefined;
    throw error;
  }
}
