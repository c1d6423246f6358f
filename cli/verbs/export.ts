import { once } from 'node:events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Batch } from '../../shared/domain/batch.ts';
import type { BatchId, MoveId } from '../../shared/domain/ids.ts';
import { cannot } from '../api/cannot.ts';
import { usageError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { csvHead, csvLine, entryOf, type ExportEntry } from '../export-entry.ts';
import { asBatchId } from '../names.ts';
import { readDuration } from '../quantity.ts';
import type { Session } from '../session.ts';

interface ExportOptions {
  readonly since: Moment;
  readonly until?: Moment;
  readonly batch?: string;
  readonly format: 'jsonl' | 'csv';
}

/** So long ago, or at that time. */
type Moment = { readonly agoMs: number } | { readonly at: number };

export function addExport(program: Command, session: Session): void {
  program
    .command('export')
    .summary('the history of moves for auditors: who, what, when, why, approved by whom, and what came of it')
    .description(
      'Every move that was made in a span of time, oldest first, or every move of a batch: one line each, page by page. ' +
        'docs/cli.md has the fields; they stay.',
    )
    .addOption(
      new Option('--since <when>', 'made then or later: 7d, or 2026-01-31, or 2026-01-31T12:00:00Z')
        .argParser(moment)
        .default({ agoMs: 86_400_000 }, '24h'),
    )
    .addOption(new Option('--until <when>', 'made before then; by default now').argParser(moment))
    .option('--batch <id>', 'the moves of this batch, whenever they were made')
    .addOption(
      new Option('--format <format>', 'a JSON object a line, or comma-separated values')
        .choices(['jsonl', 'csv'])
        .default('jsonl'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  dray export --since 2026-01-01 --until 2026-04-01 --format csv > first-quarter.csv\n  dray export --batch bt_0123456789abcdefghij\n',
    )
    .action(async (options: ExportOptions) => {
      if (session.api !== undefined) throw cannot('moves of one hour after the other');
      const batch = options.batch === undefined ? undefined : asBatchId(options.batch);
      const client = await session.client();
      const pages =
        batch === undefined ? madeIn(client, spanOf(client.clock.now(), options)) : movesOf(client, batch);
      let isFirst = true;
      for await (const entries of entriesOf(client, pages)) {
        const lines = entries.map((entry) =>
          options.format === 'csv' ? csvLine(entry) : JSON.stringify(entry),
        );
        const [first] = entries;
        if (isFirst && first !== undefined && options.format === 'csv') lines.unshift(csvHead(first));
        if (first !== undefined) isFirst = false;
        await write(session, lines);
      }
    });
}

function moment(text: string): Moment {
  const agoMs = readDuration(text);
  if (agoMs !== undefined) return { agoMs };
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new InvalidArgumentError(
      'Write a duration (7d), a day (2026-01-31) or a time (2026-01-31T12:00:00Z).',
    );
  return { at };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function spanOf(now: number, { since, until }: ExportOptions): Span {
  const timeOf = (when: Moment): number => ('at' in when ? when.at : now - when.agoMs);
  const [from, to] = [timeOf(since), until === undefined ? now + 1 : timeOf(until)];
  if (from < to) return { from, to };
  throw usageError(
    'span-empty',
    `--since (${new Date(from).toISOString()}) is not before --until (${new Date(to).toISOString()})`,
    'name a time before the other',
  );
}

const hourMs = 3_600_000;

interface MovePage {
  readonly ids: readonly MoveId[];
  readonly isIn: (createdAt: number) => boolean;
}

async function* madeIn({ views }: Client, { from, to }: Span): AsyncGenerator<MovePage> {
  const isIn = (createdAt: number): boolean => createdAt >= from && createdAt < to;
  for (let hour = Math.floor(from / hourMs) * hourMs; hour < to; hour += hourMs) {
    let cursor: string | undefined;
    do {
      const page = await views.movesAt(new Date(hour).toISOString().slice(0, 13), cursor);
      yield { ids: page.items, isIn };
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

async function* movesOf({ views }: Client, batch: BatchId): AsyncGenerator<MovePage> {
  let cursor: string | undefined;
  do {
    const page = await views.movesOf(batch, undefined, cursor);
    yield { ids: page.items.map(({ id }) => id), isIn: () => true };
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function* entriesOf(
  { store }: Client,
  pages: AsyncIterable<MovePage>,
): AsyncGenerator<readonly ExportEntry[]> {
  const batches = new Map<BatchId, Batch | undefined>();
  for await (const { ids, isIn } of pages) {
    const found = await store.loadMany(
      'move',
      ids.map((id) => ({ id })),
    );
    const moves = found.flatMap((move) => (move !== undefined && isIn(move.createdAt) ? [move] : []));
    const unknown = [...new Set(moves.map(({ batch }) => batch))].filter((id) => !batches.has(id));
    const loaded = await store.loadMany(
      'batch',
      unknown.map((id) => ({ id })),
    );
    unknown.forEach((id, index) => batches.set(id, loaded[index]));
    yield moves.map((move) => entryOf(move, batches.get(move.batch)));
  }
}

/** No faster than it is taken: an export of a year does not wait in memory. */
async function write({ surroundings: { stdout } }: Session, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  if (!stdout.write(`${lines.join('\n')}\n`)) await once(stdout, 'drain');
}
