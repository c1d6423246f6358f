import type { Command } from 'commander';
import type { Batch } from '../../shared/domain/batch.ts';
import { etaOfBatch } from '../../shared/workflow/explain/eta-of-batch.ts';
import { explainSnapshot } from '../../shared/workflow/explain/explain.ts';
import { readBatch } from '../../shared/workflow/explain/look-at-batch.ts';
import { etaReport, etaText } from '../batch-eta.ts';
import { hasAllMoved, reportOf } from '../batch-report.ts';
import { exit } from '../cli-error.ts';
import { allBatches } from '../find-move.ts';
import { followBatch, unknownBatch } from '../follow.ts';
import { moveLine, widthsFor } from '../move-line.ts';
import { asBatchId } from '../names.ts';
import { figure, jsonOption } from '../options.ts';
import { showDuration } from '../quantity.ts';
import { blockerLine, summaryOf } from '../render-batch.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';
import { addCommands, addWithdraw } from './commands.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export function addBatch(program: Command, session: Session): void {
  const group = program
    .command('batch')
    .summary('batches: list, show, watch, wait, and what to do with them')
    .description('The moves of one request.');
  group
    .command('list')
    .summary('the newest batches')
    .description('The newest batches, newest first.')
    .option('--limit <number>', 'how many', figure, 20)
    .addOption(jsonOption())
    .action(async ({ limit, json = false }: JsonFlag & { readonly limit: number }) => {
      await list(session, limit, json);
    });
  group
    .command('show')
    .summary('a batch and its moves as they are now')
    .description('A batch and its moves as they are now. Exit code 1 when it is over and not all have moved.')
    .argument('<id>', 'the batch')
    .addOption(jsonOption())
    .action(async (id: string, { json = false }: JsonFlag) => {
      session.exitCode = await show(session, id, json);
    });
  group
    .command('watch')
    .summary('watch a batch until it is completed')
    .description('Watches a batch until it is completed. Ctrl-C ends the watch, not the batch.')
    .argument('<id>', 'the batch')
    .addOption(jsonOption())
    .action(async (id: string, { json = false }: JsonFlag) => {
      session.exitCode = await followBatch(session, asBatchId(id), { json });
    });
  group
    .command('wait')
    .summary('wait in silence until a batch is completed')
    .description('Waits until a batch is completed. Exit code 0 only when every endpoint has moved.')
    .argument('<id>', 'the batch')
    .addOption(jsonOption())
    .action(async (id: string, { json = false }: JsonFlag) => {
      session.exitCode = await followBatch(session, asBatchId(id), { json, quiet: true });
    });
  addCommands(group, session, 'batch');
  addWithdraw(group, session);
}

async function list(session: Session, limit: number, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  const batches = (await allBatches(client)).slice(0, limit);
  if (json) {
    terminal.json({ batches: batches.map(rowOf) });
    return;
  }
  if (batches.length === 0) {
    terminal.line('There are no batches yet. Make one: dray move <endpoint> --to <host>');
    return;
  }
  const now = client.clock.now();
  const rows = batches.map((batch): Text[] => [
    batch.id,
    batch.state,
    `${String(arrived(batch))}/${batch.total === undefined ? '?' : String(batch.total)}`,
    lost(batch) === 0 ? '0' : styled('bad', String(lost(batch))),
    `${showDuration(now - batch.createdAt)} ago`,
    batch.reason,
  ]);
  const head = ['batch', 'state', 'moved', 'not', 'asked for', 'reason'];
  for (const line of columns([head.map((word) => styled('faint', word)), ...rows], new Set([2, 3])))
    terminal.line(line);
}

const arrived = ({ counts }: Batch): number => (counts.moved ?? 0) + (counts.retired ?? 0);
const lost = ({ counts }: Batch): number => (counts['rolled-back'] ?? 0) + (counts.stuck ?? 0);

function rowOf(batch: Batch) {
  return {
    batch: batch.id,
    state: batch.state,
    reason: batch.reason,
    createdAt: new Date(batch.createdAt).toISOString(),
    endedAt: batch.endedAt === undefined ? null : new Date(batch.endedAt).toISOString(),
    moves: {
      total: batch.total ?? null,
      moved: arrived(batch),
      rolledBack: batch.counts['rolled-back'] ?? 0,
      stuck: batch.counts.stuck ?? 0,
    },
  };
}

async function show(session: Session, text: string, json: boolean): Promise<number> {
  const { terminal } = session;
  const id = asBatchId(text);
  const snapshot = await readBatch(await session.client(), id);
  if (snapshot === undefined) throw unknownBatch(text);
  const { batch, moves } = snapshot;
  if (json) {
    terminal.json({ ...reportOf(snapshot), eta: etaReport(snapshot) });
  } else {
    const { sentence, blockers, actions } = await explainSnapshot(await session.client(), snapshot);
    terminal.line([styled('strong', `batch ${batch.id}`), `  ${batch.reason}`]);
    terminal.line(`  ${sentence}`);
    const eta = etaOfBatch(snapshot);
    if (eta !== undefined) terminal.line(`  ${etaText(eta)}`);
    const widths = widthsFor(moves, terminal.columns);
    for (const move of moves)
      terminal.line(moveLine(move, terminal.isLive ? terminal.columns - 1 : 200, widths));
    for (const blocker of blockers) terminal.line(blockerLine(blocker));
    if (batch.state === 'completed') terminal.line(summaryOf(snapshot).at(-1));
    for (const action of actions) terminal.line(styled('faint', `  ${action}`));
  }
  return batch.state === 'completed' && !hasAllMoved(snapshot) ? exit.failed : exit.done;
}
