import type { Command } from 'commander';
import type { Batch } from '../../shared/domain/batch.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { pauseOf } from '../../shared/workflow/explain/batch-snapshot.ts';
import type { Client } from '../client.ts';
import { looks, noteOf } from '../move-line.ts';
import { findEndpoint } from '../names.ts';
import { jsonOption, spanOption } from '../options.ts';
import { showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { columns, styled } from '../text.ts';

interface HistoryOptions {
  readonly since: number;
  readonly json?: boolean;
}

/** A move, and the batch that it is of. */
interface Entry {
  readonly move: Move;
  readonly batch: Batch | undefined;
}

export function addHistory(program: Command, session: Session): void {
  program
    .command('history')
    .summary('what was moved, when, why, and what became of it')
    .description(
      'Moves of all batches, newest first; with a name, those of one endpoint. `move show` tells one step by step.',
    )
    .argument('[endpoint]', 'only its moves')
    .addOption(spanOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  dray history --since 7d\n  dray history shop --since 90d --json\n')
    .action(async (endpoint: string | undefined, { since, json = false }: HistoryOptions) => {
      const client = await session.client();
      if (endpoint !== undefined) await findEndpoint(client, endpoint);
      const all = await movesSince(client, since);
      const entries = all.filter(({ move }) => endpoint === undefined || move.endpoint === endpoint);
      if (json) session.terminal.json({ moves: entries.map(reportOf) });
      else say(session, entries, since);
    });
}

async function movesSince(client: Client, sinceMs: number): Promise<readonly Entry[]> {
  const { store } = client;
  const ids = await client.movesSince(sinceMs);
  const found = await store.loadMany(
    'move',
    ids.map((id) => ({ id })),
  );
  const moves = found.filter((move) => move !== undefined);
  const batchIds = [...new Set(moves.map(({ batch }) => batch))];
  const batches = await store.loadMany(
    'batch',
    batchIds.map((id) => ({ id })),
  );
  return moves.map((move) => ({ move, batch: batches.find((batch) => batch?.id === move.batch) }));
}

function reportOf({ move, batch }: Entry) {
  const { status } = move.execution;
  return {
    move: move.id,
    batch: move.batch,
    endpoint: move.endpoint,
    from: move.source,
    to: move.target,
    state: labelOf(move.execution),
    createdAt: new Date(move.createdAt).toISOString(),
    endedAt: 'endedAt' in status ? new Date(status.endedAt).toISOString() : null,
    pauseMs: pauseOf(move) ?? null,
    why: move.why,
    reason: batch?.reason ?? null,
    askedBy: batch?.requestSource ?? null,
    ...('reason' in status ? { failure: status.reason } : {}),
  };
}

function say({ terminal }: Session, entries: readonly Entry[], since: number): void {
  if (entries.length === 0) {
    terminal.line(`Nothing was to be moved in the last ${showDuration(since)}.`);
    return;
  }
  const lines = entries.map(({ move, batch }) => {
    const { mark, style } = looks[labelOf(move.execution)];
    return [
      new Date(move.createdAt).toISOString(),
      styled('strong', move.endpoint),
      `${move.source} → ${move.target}`,
      styled(style, `${mark} ${labelOf(move.execution)}`),
      noteOf(move),
      styled('faint', batch === undefined ? move.batch : `${move.batch}: ${batch.reason}`),
    ];
  });
  for (const line of columns(lines)) terminal.line(line);
}
