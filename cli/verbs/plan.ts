import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Selection } from '../../shared/domain/batch.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import { makePlan } from '../../shared/domain/planning/make-plan.ts';
import { loadSnapshot } from '../../shared/workflow/planning/fleet.ts';
import { namesIn } from '../../shared/workflow/planning/selection.ts';
import { exit } from '../cli-error.ts';
import { endpointCalled, findHost, hostCalled } from '../names.ts';
import { jsonOption } from '../options.ts';
import { isWhole, planReport, renderPlan } from '../plan-report.ts';
import type { Session } from '../session.ts';
import { whereOf, whereOptions, type WhereOptions } from '../where.ts';

export const dryRunOption = (): Option =>
  new Option('--dry-run', 'print what would be moved where, with before and after, and do nothing');

/** `70%` or `0.7`. */
export function share(text: string): number {
  const [, figure, sign] = /^(\d{1,3}(?:\.\d{1,4})?)\s*(%?)$/.exec(text.trim()) ?? [];
  const value = Number(figure) / (sign === '%' ? 100 : 1);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Write a share of its capacity: 70%.');
}

interface PlanOptions {
  readonly json?: boolean;
  readonly to?: string;
}

export function addPlan(program: Command, session: Session): void {
  const group = program
    .command('plan')
    .summary('what would be moved where, and what could not')
    .description('Plans as the planner would now, and prints it with before and after. Nothing is done.')
    .addHelpText(
      'after',
      `
Exit code 0 when everything that was asked for has a place, 1 when something has none.

Examples:
  dray plan drain a
  dray plan move shop crm --to b
  dray plan where --tenant acme --at-least 10GB
  dray plan rebalance --json
  dray plan relieve a --under 70%
`,
    );
  const verb = (name: string, summary: string): Command =>
    group.command(name).summary(summary).description(`Prints ${summary}.`).addOption(jsonOption());
  const to = (): Option => new Option('--to <host>', 'the only host that will do');
  verb('drain', 'where everything on a host would go')
    .argument('<host>', 'the host that would be emptied')
    .addOption(to())
    .action(async (host: string, options: PlanOptions) => {
      await showPlan(session, { kind: 'host', host: hostCalled(host), ...targetOf(options.to) }, options);
    });
  verb('move', 'where endpoints would go')
    .argument('<endpoint...>', 'the endpoints')
    .addOption(to())
    .action(async (names: string[], options: PlanOptions) => {
      await showPlan(
        session,
        { kind: 'endpoints', endpoints: names.map(endpointCalled), ...targetOf(options.to) },
        options,
      );
    });
  const kind = verb('where', 'where endpoints of a kind would go').addOption(to());
  for (const option of whereOptions()) kind.addOption(option);
  kind.action(async (options: PlanOptions & WhereOptions) => {
    await showPlan(session, { kind: 'where', where: whereOf(options), ...targetOf(options.to) }, options);
  });
  verb('rebalance', 'what would make the fleet even').action(async (options: PlanOptions) => {
    await showPlan(session, { kind: 'rebalance' }, options);
  });
  verb('relieve', 'what would bring a host under a share of its capacity')
    .argument('<host>', 'the host')
    .addOption(underOption())
    .action(async (host: string, options: PlanOptions & { readonly under: number }) => {
      await showPlan(session, { kind: 'relieve', host: hostCalled(host), under: options.under }, options);
    });
}

export const underOption = (): Option =>
  new Option('--under <share>', 'of its capacity, e.g. 70%').argParser(share).makeOptionMandatory();

/** Plans from the rows as they are, and prints it. */
export async function showPlan(
  session: Session,
  selection: Selection,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const client = await session.client();
  if ('target' in selection) await findHost(client, selection.target);
  if (selection.kind === 'host' || selection.kind === 'relieve') await findHost(client, selection.host);
  const snapshot = await loadSnapshot(client, namesIn(selection));
  const report = planReport(snapshot, makePlan(selection, snapshot));
  if (json) session.terminal.json(report);
  else for (const line of renderPlan(report)) session.terminal.line(line);
  session.exitCode = isWhole(report) ? exit.done : exit.failed;
}

export const targetOf = (to: string | undefined): { readonly target?: HostName } =>
  to === undefined ? {} : { target: hostCalled(to) };
