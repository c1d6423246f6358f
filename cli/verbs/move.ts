import type { Command } from 'commander';
import type { Selection, Where } from '../../shared/domain/batch.ts';
import type { EndpointName } from '../../shared/domain/ids.ts';
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
import { usageError } from '../cli-error.ts';
import { endpointCalled } from '../names.ts';
import { whereIn, whereOf, whereOptions, type WhereOptions } from '../where.ts';
import { dryRunOption, showPlan, targetOf } from './plan.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

interface MoveOptions extends PolicyOptions, PublishedOptions, WhereOptions {
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
    .argument(
      '[endpoint...]',
      'the endpoints to move; without names, those of which all that is said is true',
    )
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
  dray move --tenant acme --at-least 10GB --to b --reason "acme grows"
  dray move --to b -- show          an endpoint whose name is a word of dray's own
  dray move show mv_…               what a move does, and why it waits
`,
    );
  for (const option of [...whereOptions(), ...policyOptions()]) command.addOption(option);
  command.action(async (endpoints: string[], options: MoveOptions) => {
    const names = endpoints.map(endpointCalled);
    const where = selectedBy(names, options);
    if (options.dryRun === true) {
      const selection: Selection =
        where === undefined ? { kind: 'endpoints', endpoints: names } : { kind: 'where', where };
      await showPlan(session, { ...selection, ...targetOf(options.to) }, options);
      return;
    }
    const client = await session.client();
    const reason = options.reason ?? `moved by ${userName()}`;
    const selection =
      where === undefined
        ? await selectionOf(client, endpoints, options.to)
        : { where: asJson(where), ...(options.to === undefined ? {} : { target: options.to }) };
    const data = { reason, ...selection, ...policyOf(options) };
    session.exitCode = await requestBatch(session, 'batch-move.requested', data, options);
  });
}

/** What endpoints have to be; undefined: they are named. @throws CliError `selection-missing`, `selection-ambiguous` */
function selectedBy(names: readonly EndpointName[], options: WhereOptions): Where | undefined {
  if (names.length === 0) return whereOf(options);
  if (whereIn(options) === undefined) return undefined;
  throw usageError(
    'selection-ambiguous',
    'Endpoints are named, and described as well',
    'give either names, or --label, --tenant, --at-least, --at-most, --on',
  );
}

const asJson = ({ labels, size, ...rest }: Where): Json => ({
  ...rest,
  ...(labels === undefined ? {} : { labels: { ...labels } }),
  ...(size === undefined ? {} : { size: { ...size } }),
});

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
