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
import { dryRunOption, showPlan, targetOf } from './plan.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

interface DrainOptions extends PolicyOptions, PublishedOptions {
  readonly to?: string;
  readonly reason: string;
  readonly deadline?: string;
  readonly dryRun?: boolean;
}

export function addDrain(program: Command, session: Session): void {
  const command = program
    .command('drain')
    .summary('move everything off a host')
    .description('Moves everything off a host, and lets nothing new arrive there.')
    .argument('<host>', 'the host to empty')
    .requiredOption('--reason <text>', 'why, for whoever looks at the batch later')
    .option('--to <host>', 'where everything goes; without it the planner chooses for each endpoint')
    .option(
      '--deadline <time>',
      'when the host is to be empty, as in RFC 3339; what is late goes on, and says so',
    )
    .addOption(dryRunOption())
    .addOption(waitOption())
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
Examples:
  dray drain a --reason "disk is failing" --wait
  dray drain a --reason "retired" --to b --retention 0 --wait --json
`,
    );
  for (const option of policyOptions()) command.addOption(option);
  command.action(async (host: string, options: DrainOptions) => {
    if (options.dryRun === true) {
      await showPlan(session, { kind: 'host', host: hostCalled(host), ...targetOf(options.to) }, options);
      return;
    }
    const { reason, to, deadline } = options;
    const data = {
      host,
      reason,
      ...(to === undefined ? {} : { target: to }),
      ...(deadline === undefined ? {} : { deadline }),
      ...policyOf(options),
    };
    session.exitCode = await requestBatch(session, 'host.draining', data, options);
  });
}
