import { Option, type Command } from 'commander';
import type { Json } from '../../shared/domain/json.ts';
import { bytes, jsonOption, requestIdOption, textPair } from '../options.ts';
import { usageError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

/** The verbs by which people say what they want of a host, what it is, and how it is: each is one event. */
export function addHostChanges(group: Command, session: Session): void {
  const verb = (name: string, type: string, summary: string): Command =>
    group
      .command(name)
      .summary(summary)
      .argument('<name>', 'the host')
      .addOption(jsonOption())
      .addOption(requestIdOption())
      .action(async (host: string, { json, requestId, ...said }: PublishedOptions & Record<string, Json>) => {
        const options = {
          ...(json === undefined ? {} : { json }),
          ...(requestId === undefined ? {} : { requestId }),
        };
        session.exitCode = await requestBatch(session, type, { host, ...dataOf(said) }, options);
      });
  addIntents(verb);
  addHealth(verb);
  addProfile(verb);
}

type Verb = (name: string, type: string, summary: string) => Command;

const reasonText = 'why, for whoever looks at the host later';

function addIntents(verb: Verb): void {
  verb('cordon', 'host.cordoned', 'let nothing new arrive on a host')
    .description('Lets nothing new arrive on a host; what is there stays.')
    .requiredOption('--reason <text>', reasonText);
  verb('uncordon', 'host.uncordoned', 'let endpoints arrive on a host again')
    .description('Lets endpoints arrive on a host again, after cordon, drain or remove.')
    .option('--reason <text>', reasonText);
  verb('remove', 'host.removed', 'take a host away on which nothing is any more')
    .description('Takes a host away. It is refused while endpoints or moves are on it.')
    .requiredOption('--reason <text>', reasonText);
}

function addHealth(verb: Verb): void {
  verb('fail', 'host.failed', 'say that something is wrong with a host')
    .description(
      'Says that a host has failed: nothing new arrives there, and after the grace period all that is on it is moved away, unless healing is off.',
    )
    .option('--signal <name>', 'what has failed; several things may, each by a name of its own', 'reported')
    .addOption(atOption())
    .option('--reason <text>', reasonText);
  verb('recover', 'host.recovered', 'say that it is well again')
    .description('Says that what had failed is well again. What people want of the host stays as it is.')
    .option(
      '--signal <name>',
      'what is well again, "alarm:…" included: dray host show lists them',
      'reported',
    )
    .addOption(atOption())
    .option('--reason <text>', reasonText);
}

const atOption = (): Option => new Option('--at <time>', 'when it was so, as in RFC 3339; without it: now');

function addProfile(verb: Verb): void {
  verb('change', 'host.changed', 'change what is known of a host')
    .description('Changes parts of what is known of a host, while it is in use; all else stays.')
    .option('--capacity <size>', 'what it may hold, e.g. 100GB', bytes)
    .option(
      '--label <key=value>',
      'a label; may be given more than once. Those that are given replace all that it had',
      textPair,
    )
    .option('--zone <zone>', 'where it stands')
    .option('--url <url>', "the mover's way in, without a password; it is tried at once")
    .option('--secret <reference>', 'the name or ARN of the secret that has the password')
    .option('--client-address <host:port>', 'how clients reach it')
    .option('--replication-address <host:port>', 'how the other hosts reach it')
    .hook('preAction', (command) => {
      const { json: _, requestId: __, ...parts } = command.opts();
      if (Object.keys(parts).length > 0) return;
      throw usageError(
        'change-missing',
        'Nothing is changed',
        'say what is otherwise now: dray host change --help',
      );
    })
    .addHelpText(
      'after',
      `
Examples:
  dray host change a --capacity 200GB
  dray host change a --label dbInstance=orders-1 --label rack=7
`,
    );
}

/** Options under the names that the event has for them. */
function dataOf({
  capacity,
  label,
  ...rest
}: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  return {
    ...rest,
    ...(capacity === undefined ? {} : { capacityBytes: capacity }),
    ...(label === undefined ? {} : { labels: label }),
  };
}
