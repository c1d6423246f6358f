import { Option, type Command } from 'commander';
import type { Json } from '../../shared/domain/json.ts';
import { usageError } from '../cli-error.ts';
import { bytes, jsonOption, requestIdOption, textPair } from '../options.ts';
import type { Session } from '../session.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

/** What people wish of an endpoint: the same options where it is registered and where it is changed. */
export interface WishOptions {
  readonly label?: Readonly<Record<string, string>>;
  readonly group?: string;
  readonly spread?: 'hosts' | 'zones';
  readonly inZone?: readonly string[];
  readonly pin?: string;
}

export const wishOptions = (): Option[] => [
  new Option(
    '--label <key=value>',
    'a label by which it can be selected; may be given more than once',
  ).argParser(textPair),
  new Option('--group <name>', 'keep it apart from the others of this group'),
  new Option('--spread <places>', 'no two of its group on one host, or in one zone').choices([
    'hosts',
    'zones',
  ]),
  new Option('--in-zone <zone>', 'it may only be in this zone; may be given more than once').argParser(
    oneMore,
  ),
  new Option('--pin <host>', 'it stays on this host until it is named itself, or the host fails'),
];

const oneMore = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** The wishes as events have them: what is not said is not there. */
export function wishesOf({ label, group, spread, inZone, pin }: WishOptions): Record<string, Json> {
  if (spread !== undefined && group === undefined) {
    throw usageError(
      'group-missing',
      '--spread says how a group is spread, and there is none',
      'add --group <name>',
    );
  }
  return {
    ...(label === undefined ? {} : { labels: label }),
    ...(group === undefined ? {} : { group: { name: group, spread: spread ?? 'hosts' } }),
    ...(inZone === undefined ? {} : { zones: [...inZone] }),
    ...(pin === undefined ? {} : { pin }),
  };
}

interface ChangeOptions extends PublishedOptions, WishOptions {
  readonly size?: number;
  readonly without?: readonly string[];
}

export function addEndpointChange(group: Command, session: Session): void {
  const command = group
    .command('change')
    .summary('change what is wished of an endpoint')
    .description('Changes labels, size, group, zones or pin of an endpoint; what is not named stays.')
    .argument('<name>', 'the endpoint')
    .option('--size <size>', 'how large it is, e.g. 3GB', bytes)
    .addOption(new Option('--without <wishes...>', 'take wishes away').choices(['group', 'zones', 'pin']))
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
Labels are replaced as a whole.

Examples:
  dray endpoint change shop --group web --spread zones
  dray endpoint change shop --pin a --in-zone rack-7 --in-zone rack-8
  dray endpoint change shop --without pin
`,
    );
  for (const option of wishOptions()) command.addOption(option);
  command.action(async (name: string, options: ChangeOptions) => {
    const { size, without = [] } = options;
    const data = {
      name,
      ...Object.fromEntries(without.map((wish) => [wish, null])),
      ...wishesOf(options),
      ...(size === undefined ? {} : { sizeBytes: size }),
    };
    session.exitCode = await requestBatch(session, 'endpoint.changed', data, options);
  });
}
