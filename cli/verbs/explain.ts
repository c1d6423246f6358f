import type { Command } from 'commander';
import { explainBatch, explainEndpoint, explainMove, type Explanation } from '../../shared/domain/explain.ts';
import { explainHost } from '../../shared/domain/explain-host.ts';
import { isBatchId, isEndpointName, isHostName, isMoveId } from '../../shared/domain/ids.ts';
import { stageOf } from '../../shared/domain/healing.ts';
import { readFleet } from '../../shared/workflow/fleet-record.ts';
import { storedOn } from '../../shared/workflow/planning/fleet.ts';
import type { Client } from '../client.ts';
import { CliError } from '../cli-error.ts';
import { unknownBatch } from '../follow.ts';
import { jsonOption } from '../options.ts';
import { etaOfBatch, etaText } from '../batch-eta.ts';
import type { BatchSnapshot } from '../batch-report.ts';
import { blockerLine, timeOf } from '../render-batch.ts';
import { limitsFor, outlookOn } from '../said.ts';
import type { Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import type { Terminal } from '../terminal.ts';
import { styled } from '../text.ts';
import { everyPage, readBatch } from '../watch-batch.ts';
import { findMove, hostsOf, lastMoveOf } from '../find-move.ts';

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
  if (isBatchId(what)) {
    const snapshot = await readBatch(client, what);
    if (snapshot === undefined) throw unknownBatch(what);
    const explanation = await explainSnapshot(client, snapshot);
    const eta = etaOfBatch(snapshot);
    return [{ ...explanation, ...(eta === undefined ? {} : { eta }) }];
  }
  if (isMoveId(what)) {
    const move = await findMove(client, what);
    const hosts = await hostsOf(client, move);
    return [explainMove(move, hosts, await outlookOn(client, move, hosts))];
  }
  const found = [...(await endpointNamed(client, what)), ...(await hostNamed(client, what))];
  if (found.length > 0) return found;
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

/** A batch and its moves, with the limits at which they wait. */
export async function explainSnapshot(
  client: Client,
  { batch, moves, hosts, at, said = { fleet: {} } }: BatchSnapshot,
): Promise<Explanation> {
  const limitOf = await limitsFor(client, moves);
  return explainBatch(batch, moves, hosts, at, limitOf === undefined ? said : { ...said, limitOf });
}

async function endpointNamed(client: Client, name: string): Promise<Explanation[]> {
  const placement = isEndpointName(name)
    ? await client.store.load('endpoint', { endpoint: name })
    : undefined;
  if (placement === undefined) return [];
  const move =
    placement.claim === undefined
      ? await lastMoveOf(client, placement.endpoint)
      : await client.store.load('move', { id: placement.claim.move });
  if (move === undefined) return [explainEndpoint(placement, move)];
  const hosts = await hostsOf(client, move);
  return [explainEndpoint(placement, move, hosts, await outlookOn(client, move, hosts))];
}

async function hostNamed(client: Client, name: string): Promise<Explanation[]> {
  const host = isHostName(name) ? await client.store.load('host', { name }) : undefined;
  if (host === undefined) return [];
  const now = client.clock.now();
  const { knobs } = await readFleet(client);
  return [explainHost(host, await storedOn(client, host.name), now, stageOf(host, knobs, now))];
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
