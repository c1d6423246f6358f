import type { Command } from 'commander';
import type { Explanation } from '../../shared/domain/explain.ts';
import { isBatchId, isEndpointName, isHostName, isMoveId } from '../../shared/domain/ids.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import type { Client } from '../client.ts';
import { CliError } from '../cli-error.ts';
import { unknownMove } from '../find-move.ts';
import { unknownBatch } from '../follow.ts';
import { jsonOption } from '../options.ts';
import { etaText } from '../batch-eta.ts';
import { blockerLine, timeOf } from '../render-batch.ts';
import type { Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import type { Terminal } from '../terminal.ts';
import { styled } from '../text.ts';

export function addExplain(program: Command, session: Session): void {
  program
    .command('explain')
    .summary('why something waits or failed, and what to do')
    .description('What a batch, move, host or endpoint does, what is in its way, and what you can do.')
    .argument('<id-or-name>', 'bt_…, mv_…, or the name of a host or an endpoint')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  dray explain shop\n  dray explain bt_… --json\n')
    .action(async (what: string, { json = false }: { readonly json?: boolean }) => {
      const client = await session.client();
      for (const explanation of await explain(client, what)) {
        if (json) session.terminal.json(explanation);
        else {
          session.terminal.line(styled('strong', explanation.subject));
          sayExplanation(session.terminal, explanation);
        }
      }
    });
}

/** A name that an endpoint and a host share is explained for both. */
async function explain(client: Client, what: string): Promise<readonly Explanation[]> {
  if (isBatchId(what)) return [(await client.explain('batches', what)) ?? unknown(unknownBatch(what))];
  if (isMoveId(what)) return [(await client.explain('moves', what)) ?? unknown(unknownMove(what))];
  const found = await Promise.all([
    isEndpointName(what) ? client.explain('endpoints', what) : undefined,
    isHostName(what) ? client.explain('hosts', what) : undefined,
  ]);
  const explanations = found.filter((each) => each !== undefined);
  if (explanations.length > 0) return explanations;
  const { views } = client;
  const known = await Promise.all([
    everyPage((cursor) => views.endpoints(cursor)),
    everyPage((cursor) => views.hosts(cursor)),
  ]);
  throw new CliError({
    code: 'name-unknown',
    sentence: `There is no endpoint and no host ${what}`,
    cure: didYouMean(what, known.flat(), 'see them with dray endpoint list and dray host list'),
  });
}

function unknown(error: CliError): never {
  throw error;
}

export function sayExplanation(
  terminal: Terminal,
  { sentence, since, eta, blockers, actions }: Explanation,
): void {
  terminal.line(
    `  ${sentence}${since === undefined ? '' : `, since ${new Date(since).toISOString().slice(0, 10)} ${timeOf(since)}`}`,
  );
  if (eta !== undefined) terminal.line(`  ${etaText(eta)}`);
  for (const blocker of blockers) {
    terminal.line(blockerLine(blocker));
    if (blocker.cure !== undefined) terminal.line(styled('faint', `      ${blocker.cure}`));
  }
  if (actions.length > 0) terminal.line('  what you can do:');
  for (const action of actions) terminal.line(`    ${action}`);
}
