import { Option } from 'commander';
import type { Where } from '../shared/domain/batch.ts';
import { usageError } from './cli-error.ts';
import { bytes, textPair } from './options.ts';
import { hostCalled } from './names.ts';

/** What endpoints have to be, where they are not named. */
export interface WhereOptions {
  readonly label?: Readonly<Record<string, string>>;
  readonly tenant?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly on?: string;
}

export const whereOptions = (): Option[] => [
  new Option('--label <key=value>', 'with this label; may be given more than once').argParser(textPair),
  new Option('--tenant <name>', 'whose label tenant says so'),
  new Option('--at-least <size>', 'no smaller, e.g. 10GB').argParser(bytes),
  new Option('--at-most <size>', 'no larger').argParser(bytes),
  new Option('--on <host>', 'that are on this host'),
];

/** @returns undefined when none of the options is given */
export function whereIn({ label, tenant, atLeast, atMost, on }: WhereOptions): Where | undefined {
  const size = { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) };
  const where: Where = {
    ...(label === undefined ? {} : { labels: label }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(Object.keys(size).length === 0 ? {} : { size }),
    ...(on === undefined ? {} : { host: hostCalled(on) }),
  };
  return Object.keys(where).length === 0 ? undefined : where;
}

/** @throws CliError `selection-missing` */
export function whereOf(options: WhereOptions): Where {
  const where = whereIn(options);
  if (where !== undefined) return where;
  throw usageError(
    'selection-missing',
    'Nothing is selected',
    'give at least one of --label, --tenant, --at-least, --at-most, --on',
  );
}
