import type { BatchId } from '../shared/domain/ids.ts';
import { hasAllMoved, reportOf } from './batch-report.ts';
import { CliError, exit } from './cli-error.ts';
import { renderBatch, summaryOf } from './render-batch.ts';
import type { Session } from './session.ts';
import { watchBatch } from './watch-batch.ts';

export interface FollowOptions {
  readonly json?: boolean;
  /** Says nothing until the end. */
  readonly quiet?: boolean;
}

/**
 * Stays with a batch until it is completed.
 * @returns the exit code: 0 only when every endpoint has moved
 * @throws CliError `batch-unknown`
 */
export async function followBatch(
  session: Session,
  id: BatchId,
  { json = false, quiet = false }: FollowOptions,
): Promise<number> {
  const client = await session.client();
  const interrupt = new AbortController();
  const off = session.surroundings.onInterrupt(() => {
    interrupt.abort();
  });
  const { terminal, progressTerminal } = session;
  // A result for programs has standard output for itself.
  const stage = json ? progressTerminal : terminal;
  const silent = quiet || (json && !stage.isLive);
  try {
    const snapshots = watchBatch(client, id, { signal: interrupt.signal });
    const last = silent ? await lastOf(snapshots) : await renderBatch(snapshots, stage);
    if (last === undefined) {
      if (interrupt.signal.aborted) return exit.interrupted;
      throw unknownBatch(id);
    }
    if (json) terminal.json(reportOf(last));
    else
      summaryOf(last).forEach((line) => {
        terminal.line(line);
      });
    if (last.batch.state === 'completed') return hasAllMoved(last) ? exit.done : exit.failed;
    terminal.note(`The batch goes on without you. To see it again: dray batch watch ${id}`);
    return exit.interrupted;
  } finally {
    off();
  }
}

export function unknownBatch(id: string): CliError {
  return new CliError({
    code: 'batch-unknown',
    sentence: `There is no batch ${id}`,
    cure: 'look for it with dray batch list',
  });
}

async function lastOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  let last: T | undefined;
  for await (const item of items) last = item;
  return last;
}
