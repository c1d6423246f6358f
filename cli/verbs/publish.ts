import { Option, type Command } from 'commander';
import * as z from 'zod';
import { isAlarm } from '../../shared/contracts/events/alarm.ts';
import type { Client, Topic } from '../client.ts';
import { exit } from '../cli-error.ts';
import { readGivenFile } from '../given-file.ts';
import { jsonOption } from '../options.ts';
import { readHead, submitText, topicOf } from '../request.ts';
import { ourSource, type Session } from '../session.ts';
import { sayAccepted, sayRefused } from './publishing.ts';

interface PublishOptions {
  readonly topic?: Topic;
  readonly json?: boolean;
}

/** What of an event can be filled in for its writer. */
const unfinished = z.looseObject({
  id: z.string().optional(),
  source: z.string().optional(),
  type: z.string().optional(),
});

export function addPublish(program: Command, session: Session): void {
  program
    .command('publish')
    .summary('publish an event of your own')
    .description('Publishes a CloudEvents 1.0 event to SNS as it is, and says what becomes of it.')
    .argument('<event.json>', 'the file; - for standard input')
    .addOption(
      new Option(
        '--topic <topic>',
        'where to; by default host.… goes to host-changes, all else to requests',
      ).choices(['requests', 'host-changes']),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
specversion, id, source and time are filled in where they are missing. An alarm as CloudWatch publishes it stays as it is.

Example:
  echo '{"type":"host.draining","data":{"host":"a","reason":"disk"}}' | dray publish -
`,
    )
    .action(async (file: string, options: PublishOptions) => {
      session.exitCode = await publish(session, file, options);
    });
}

async function publish(session: Session, file: string, options: PublishOptions): Promise<number> {
  const client = await session.client();
  const written = file === '-' ? await session.readStdin() : String(await readGivenFile(file));
  const { text, type, id } = finish(client, written);
  const topic = options.topic ?? topicOf(type);
  const head = readHead(topic, text, client.clock.now());
  const request = 'refusal' in head ? id : head.id;
  const outcome = await submitText(client, topic, text);
  if (outcome.kind === 'refused') return sayRefused(session, request, outcome, options);
  sayAccepted(session, request, outcome, options);
  return exit.done;
}

/** What is no JSON object stays as it is: the contract says what is wrong with it. */
function finish(
  client: Client,
  text: string,
): { readonly text: string; readonly type: string; readonly id: string } {
  const json = asJson(text);
  // CloudWatch's own form stays as it is.
  if (isAlarm(json)) return { text, type: 'host.alarm', id: '' };
  const event = unfinished.safeParse(json);
  if (!event.success) return { text, type: '', id: '' };
  const { type = '', id = client.chance.unique() } = event.data;
  const filled = {
    specversion: '1.0',
    source: ourSource(),
    time: new Date(client.clock.now()).toISOString(),
    ...event.data,
    id,
  };
  return { text: JSON.stringify(filled), type, id };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
