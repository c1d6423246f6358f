import { once } from 'node:events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { cannot } from '../api/cannot.ts';
import { exit, usageError } from '../cli-error.ts';
import { csvHead, csvLine } from '../export-entry.ts';
import { entriesOf, madeIn, movesOf, type Span } from '../exported-moves.ts';
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
        'docs/cli.md has the fields; they stay. What cannot be read is named on standard error and passed over: then it ends with 1.',
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
      const passOver = (what: string): void => {
        session.terminal.note(what);
        session.exitCode = exit.failed;
      };
      let isFirst = true;
      for await (const entries of entriesOf(client, pages, passOver)) {
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

/** No faster than it is taken: an export of a year does not wait in memory. */
async function write({ surroundings: { stdout } }: Session, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  if (!stdout.write(`${lines.join('\n')}\n`)) await once(stdout, 'drain');
}
