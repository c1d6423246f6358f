import type { Command } from 'commander';
import {
  jsonOption,
  policyOf,
  policyOptions,
  requestIdOption,
  waitOption,
  type PolicyOptions,
} from '../options.ts';
import type { Session } from '../session.ts';
import { hostCalled } from '../names.ts';
import { dryRunOption, showPlan, underOption } from './plan.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

interface SpreadOptions extends PolicyOptions, PublishedOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
}

/** Batches of which the planner chooses what is in them. */
export function addRebalance(program: Command, session: Session): void {
  const verb = (name: string, summary: string): Command => {
    const command = program
      .command(name)
      .summary(summary)
      .requiredOption('--reason <text>', 'why, for whoever looks at the batch later')
      .addOption(dryRunOption())
      .addOption(waitOption())
      .addOption(jsonOption())
      .addOption(requestIdOption());
    for (const option of policyOptions()) command.addOption(option);
    return command;
  };
  verb('rebalance', 'spread what there is over the hosts')
    .description('Moves endpoints until each host has about its fair share, with as few bytes as can be.')
    .addHelpText('after', '\nExample:\n  dray rebalance --reason "two hosts are new" --dry-run\n')
    .action(async (options: SpreadOptions) => {
      if (options.dryRun === true) {
        await showPlan(session, { kind: 'rebalance' }, options);
        return;
      }
      const data = { reason: options.reason, rebalance: true, ...policyOf(options) };
      session.exitCode = await requestBatch(session, 'batch-move.requested', data, options);
    });
  verb('relieve', 'bring a host under a share of its capacity')
    .description('Moves as little as brings a host under a share of its capacity.')
    .argument('<host>', 'the host')
    .addOption(underOption())
    .addHelpText('after', '\nExample:\n  dray relieve a --under 70% --reason "disk is filling up" --wait\n')
    .action(async (host: string, options: SpreadOptions & { readonly under: number }) => {
      const relieve = { host: hostCalled(host), under: options.under };
      if (options.dryRun === true) {
        await showPlan(session, { kind: 'relieve', ...relieve }, options);
        return;
      }
      const data = { reason: options.reason, relieve, ...policyOf(options) };
      session.exitCode = await requestBatch(session, 'batch-move.requested', data, options);
    });
}
