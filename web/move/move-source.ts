import type * as z from 'zod';
import { batchAnswer } from '../../shared/contracts/api/batches.ts';
import { hostAnswer } from '../../shared/contracts/api/hosts.ts';
import { historyAnswer, moveAnswer } from '../../shared/contracts/api/moves.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { HostName, MoveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Source } from '../api/feed.ts';
import { batchOf, hostOf, moveOf } from '../api/told.ts';
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
  readonly hosts: ReadonlyMap<HostName, Host>;
}

const everyMs = 1_500;
const overMs = 20_000;

export const moveSource = (id: MoveId): Source<MoveNow> => ({
  everyMs: ({ move }) => (isTerminal(move.execution.status.state) ? overMs : everyMs),
  read: async (api) => {
    const [answer, history] = await Promise.all([
      api.get(`/moves/${id}`, moveAnswer),
      api.list(`/moves/${id}/history`, 'history', historyAnswer),
    ]);
    const move = moveOf(answer);
    const [batch, ...ends] = await Promise.all([
      ifThere(api.get(`/batches/${move.batch}`, batchAnswer)),
      ...[move.source, move.target].map((name) =>
        ifThere(api.get(`/hosts/${encodeURIComponent(name)}`, hostAnswer)),
      ),
    ]);
    const hosts = ends.flatMap((end) => (end === undefined ? [] : [hostOf(end)]));
    return {
      ...{ at: Date.now(), move, history },
      batch: batch === undefined ? undefined : batchOf(batch),
      hosts: new Map(hosts.map((host) => [host.name, host])),
    };
  },
});

/** Hosts and batches may be gone when one looks at what was moved. */
async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Unanswered && isUnknown(error.trouble)) return undefined;
    throw error;
  }
}
