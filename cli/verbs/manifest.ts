import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import { metadataNames, readTerms } from '../../shared/contracts/manifests/terms.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { largestManifest, refusedObject, requestOf } from '../../shared/domain/manifest.ts';
import { CliError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { readGivenFile } from '../given-file.ts';
import { findReport } from '../manifest-report.ts';
import {
  jsonOption,
  policyOf,
  policyOptions,
  requestIdOption,
  spanOption,
  waitOption,
  type PolicyOptions,
} from '../options.ts';
import { count } from '../quantity.ts';
import { waitForOutcome } from '../request.ts';
import type { Session } from '../session.ts';
import { styled } from '../text.ts';
import { conclude, sayRefused, type PublishedOptions } from './publishing.ts';

interface PutOptions extends PolicyOptions, PublishedOptions {
  readonly reason?: string;
  readonly badLines?: 'refuse' | 'skip';
  readonly format?: 'csv' | 'json-lines';
}

/** A hundred thousand lines are read and looked up within this time, in milliseconds. */
const readingLimitMs = 300_000;

export function addManifest(program: Command, session: Session): void {
  const group = program
    .command('manifest')
    .summary('move a list of endpoints: put, report')
    .description('Lists of endpoints that are to be moved, as CSV or JSON Lines.');
  const put = group
    .command('put')
    .summary('put a list of endpoints, which starts a batch')
    .description(
      'Puts a file into the bucket for manifests, and says what becomes of it. The same content starts one batch, however often it is put.',
    )
    .argument('<file>', 'CSV with the header "endpoint,target", or an object a line; target may be left out')
    .option('--reason <text>', 'why, for whoever looks at the batch later')
    .addOption(
      new Option(
        '--bad-lines <choice>',
        'when lines are wrong: refuse the whole, or go without them',
      ).choices(['refuse', 'skip']),
    )
    .addOption(
      new Option('--format <format>', 'where the name of the file does not end in .csv or .jsonl').choices([
        'csv',
        'json-lines',
      ]),
    )
    .addOption(waitOption())
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
Examples:
  dray manifest put move.csv --reason "rack 7 is retired" --wait
  dray manifest put move.jsonl --bad-lines skip --retention 2h
  dray manifest put again.csv --request-id second-time     the same list as before, once more
`,
    );
  for (const option of policyOptions()) put.addOption(option);
  put.action(async (file: string, options: PutOptions) => {
    session.exitCode = await putManifest(session, file, options);
  });
  group
    .command('report')
    .summary('what was wrong with which lines')
    .description('Every line of a manifest that was wrong, with the reason and the cure.')
    .argument('<batch-or-key>', 'the batch that went without them, or the key of a manifest that was refused')
    .addOption(spanOption())
    .addOption(jsonOption())
    .action(async (name: string, options: { readonly since: number; readonly json?: boolean }) => {
      await tellReport(session, name, options);
    });
}

async function putManifest(session: Session, file: string, options: PutOptions): Promise<number> {
  const body = await readManifest(file);
  const client = await session.client();
  const { manifests, chance } = client;
  // A key of its own: what becomes of this putting is told of no other.
  const key = `dray/${chance.unique()}/${basename(file)}`;
  const enclosed = { contentType: contentTypeOf(options), metadata: metadataOf(options) };
  const read = readTerms({ key, ...enclosed });
  if (read.kind === 'refused') return sayRefused(session, key, read, options);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const request = requestOf(chance, manifests.bucket, sha256, read.terms);
  const object = await manifests.put(key, body, enclosed);
  const { source, id } = refusedObject(chance, object, '');
  const outcome = await waitForOutcome(client, [request, { source, id }], {
    limitMs: readingLimitMs,
    again: options.requestId === undefined ? '' : ` with --request-id ${options.requestId}`,
  });
  if (outcome.kind === 'accepted' && outcome.batch !== undefined && options.json !== true)
    await saySkipped(session, client, outcome.batch);
  return conclude(session, request.id, outcome, options);
}

async function readManifest(file: string): Promise<Buffer> {
  const body = await readGivenFile(file);
  if (body.length <= largestManifest) return body;
  throw new CliError({
    code: 'manifest-too-large',
    sentence: `${file} has ${String(body.length)} bytes, and a manifest at most ${String(largestManifest)}`,
    cure: 'divide it into several manifests',
  });
}

const contentTypes = { csv: 'text/csv', 'json-lines': 'application/jsonl' } as const;

const contentTypeOf = ({ format }: PutOptions): string =>
  format === undefined ? 'application/octet-stream' : contentTypes[format];

function metadataOf(options: PutOptions): Record<string, string> {
  const { reason, badLines, requestId } = options;
  const { policy } = policyOf(options);
  return {
    ...(reason === undefined ? {} : { [metadataNames.reason]: reason }),
    ...(badLines === undefined
      ? {}
      : { [metadataNames.badLines]: badLines === 'skip' ? 'skip-and-report' : 'refuse-all' }),
    ...(policy === undefined ? {} : { [metadataNames.policy]: JSON.stringify(policy) }),
    ...(requestId === undefined ? {} : { [metadataNames.requestId]: requestId }),
  };
}

/** What the batch goes without. */
async function saySkipped({ terminal }: Session, { store }: Client, id: BatchId): Promise<void> {
  const batch = await store.load('batch', { id });
  if (batch?.skipped === undefined) return;
  const lines = count(batch.skipped.lines, 'line');
  terminal.line(styled('attention', `! without ${lines} of it that are wrong: dray manifest report ${id}`));
}

async function tellReport(
  session: Session,
  name: string,
  { since, json = false }: { readonly since: number; readonly json?: boolean },
): Promise<void> {
  const { terminal } = session;
  const { manifest, lines, endpoints, faults } = await findReport(await session.client(), name, since);
  if (json) {
    terminal.json({ manifest, lines, endpoints, faults });
    return;
  }
  terminal.line([
    styled('strong', manifest),
    `  ${String(faults.length)} of ${count(lines, 'line')} wrong, ${count(endpoints, 'endpoint')} good`,
  ]);
  for (const { code, sentence, cure } of faults) {
    terminal.line([styled('bad', code), `: ${sentence}`]);
    terminal.line(styled('faint', `  what next: ${cure}`));
  }
}
