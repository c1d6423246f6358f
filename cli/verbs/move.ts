import type { Command } from 'commander';
import type { Json } from '../../shared/domain/json.ts';
import {
  jsonOption,
  policyOf,
  policyOptions,
  requestIdOption,
  waitOption,
  type PolicyOptions,
} from '../options.ts';
import { userName, type Session } from '../session.ts';
import type { Client } from '../client.ts';
import { dryRunOption, endpointCalled, showPlan, targetOf } from './plan.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

interface MoveOptions extends PolicyOptions, PublishedOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** A selection that would fill half an SNS message goes into object storage. */
const longSelectionBytes = 120_000;

export function addMove(program: Command, session: Session): void {
  const command = program
    .command('move')
    .summary('move endpoints to another host')
    .description('Moves endpoints to another host while their clients use them.')
    .argument('<endpoint...>', 'the endpoints to move')
    .option('--to <host>', 'the host that they go to; without it the planner chooses one for each')
    .option('--reason <text>', 'why, for whoever looks at the batch later')
    .addOption(dryRunOption())
    .addOption(waitOption())
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
Examples:
  dray move shop --to b --wait
  dray move shop crm billing --to b --reason "rack 7 is full" --retention 2h
  dray move --to b -- show          an endpoint whose name is a word of dray's own
  dray move show mv_…               what a move does, and why it waits
`,
    );
  for (const option of policyOptions()) command.addOption(option);
  command.action(async (endpoints: string[], options: MoveOptions) => {
    const names = endpoints.map(endpointCalled);
    if (options.dryRun === true) {
      await showPlan(session, { kind: 'endpoints', endpoints: names, ...targetOf(options.to) }, options);
      return;
    }
    const client = await session.client();
    const reason = options.reason ?? `moved by ${userName()}`;
    const data = { reason, ...(await selectionOf(client, endpoints, options.to)), ...policyOf(options) };
    session.exitCode = await requestBatch(session, 'batch-move.requested', data, options);
  });
}

async function selectionOf(
  { blobs }: Client,
  endpoints: readonly string[],
  target: string | undefined,
): Promise<Record<string, Json>> {
  const to = target === undefined ? {} : { target };
  const byValue = { endpoints: [...endpoints], ...to };
  if (JSON.stringify(byValue).length <= longSelectionBytes) return byValue;
  return {
    selectionRef: { ...(await blobs.put({ kind: 'endpoints', endpoints: [...new Set(endpoints)], ...to })) },
  };
}
