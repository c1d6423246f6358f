import type { Command } from 'commander';
import type { SubjectKind, Verb } from '../../shared/domain/command.ts';
import type { Json } from '../../shared/domain/json.ts';
import { usageError } from '../cli-error.ts';
import { asBatchId, asMoveId, findEndpoint, findHost } from '../names.ts';
import { jsonOption, requestIdOption, waitOption } from '../options.ts';
import type { Session } from '../session.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

type Named = Exclude<SubjectKind, 'all'>;

interface CommandOptions extends PublishedOptions {
  readonly reason: string;
  readonly all?: boolean;
}

/** What each verb does to each kind of thing, in a few words. */
const summaries: { readonly [K in Named]: Readonly<Partial<Record<Verb, string>>> } = {
  batch: {
    start: 'let a batch begin that waits to be started',
    approve: "approve of a batch that somebody else's request has made",
    pause: 'let nothing of a batch begin or cut over',
    resume: 'let a paused batch go on',
    hold: 'let no move of a batch cut over; all else goes on',
    release: 'let the moves of a batch cut over',
    cancel: 'turn round what can still go back of a batch',
    retry: 'ask again for what has not moved, and let what is stuck go on',
  },
  move: {
    hold: 'let a move not cut over; all else goes on',
    release: 'let a move cut over',
    cancel: 'turn a move round, if it still can be',
    retry: 'ask for a move again, or let it go on where it is stuck',
    withdraw: 'take away one of several reasons to move an endpoint',
    reverse: 'move an endpoint back to where a move has taken it from',
  },
  host: {
    pause: 'let nothing begin or cut over from or to a host',
    resume: 'let a paused host go on',
  },
  endpoint: {
    pause: 'let no move of an endpoint begin or cut over',
    resume: 'let a paused endpoint go on',
  },
};

/** Verbs of moves: words of their own behind `move`, which else takes names of endpoints. */
export const moveVerbs = [
  'hold',
  'release',
  'cancel',
  'withdraw',
  'retry',
  'reverse',
] as const satisfies readonly Verb[];

/** Adds the verbs of a kind of thing to the group that has its name. */
export function addCommands(group: Command, session: Session, kind: Exclude<Named, 'move'>): void {
  for (const verb of verbsOf(kind)) complete(group.command(verb), session, kind, verb);
}

/** `dray move hold <id>` and the like. */
export function moveCommands(create: (name: string) => Command, session: Session): Command[] {
  return moveVerbs.map((verb) => complete(create(`move ${verb}`), session, 'move', verb));
}

/** `dray batch withdraw <id> --endpoint <name>`: one of its endpoints, by what the batch and people call it. */
export function addWithdraw(group: Command, session: Session): void {
  withOptions(
    group
      .command('withdraw')
      .summary('want one endpoint of a batch moved no more')
      .description(
        'Takes away the reason that a batch has to move an endpoint. While other batches want it, its move goes on for them.',
      )
      .argument('<id>', 'the batch')
      .requiredOption('--endpoint <name>', 'the endpoint'),
  ).action(
    async (id: string, { endpoint, reason, ...options }: CommandOptions & { readonly endpoint: string }) => {
      const part = {
        batch: asBatchId(id),
        endpoint: (await findEndpoint(await session.client(), endpoint)).endpoint,
      };
      session.exitCode = await send(session, { verb: 'withdraw', ...part, reason }, options);
    },
  );
}

/** `dray pause --all`, `dray resume --all`. */
export function addPauseAll(program: Command, session: Session): void {
  const verbs = { pause: 'let nothing begin or cut over anywhere', resume: 'let everything go on' } as const;
  for (const verb of ['pause', 'resume'] as const) {
    withOptions(
      program
        .command(verb)
        .summary(verbs[verb])
        .description(`${sentence(verbs[verb])}.`),
    )
      .option('--all', `really everything; one thing: dray batch|host|endpoint ${verb}`)
      .action(async ({ all, reason, ...options }: CommandOptions) => {
        if (all !== true) {
          throw usageError(
            'subject-missing',
            `What is to ${verb}?`,
            `everything: dray ${verb} --all; or one thing: dray batch|host|endpoint ${verb} <name>`,
          );
        }
        session.exitCode = await send(session, { verb, all: true, reason }, options);
      });
  }
}

const verbsOf = (kind: Named): Verb[] => {
  const { [kind]: of } = summaries;
  return (
    ['start', 'approve', 'pause', 'resume', 'hold', 'release', 'cancel', 'retry', 'reverse'] as const
  ).filter((verb) => of[verb] !== undefined);
};

function complete(command: Command, session: Session, kind: Named, verb: Verb): Command {
  const summary = summaries[kind][verb] ?? verb;
  const makesBatch = verb === 'retry' || verb === 'reverse';
  withOptions(command.summary(summary).description(`${sentence(summary)}.`)).argument(
    kind === 'batch' || kind === 'move' ? '<id>' : '<name>',
    `the ${kind}`,
  );
  if (makesBatch) command.addOption(waitOption());
  return command.action(async (what: string, { reason, ...options }: CommandOptions) => {
    const subject = await named(session, kind, what);
    if (verb === 'reverse' && options.json !== true) {
      session.terminal.line(
        'This is a new move, back to where it came from: everything is copied, as by any other.',
      );
    }
    session.exitCode = await send(session, { verb, [kind]: subject, reason }, options);
  });
}

function withOptions(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, for whoever looks at it later')
    .addOption(jsonOption())
    .addOption(requestIdOption());
}

/** The name as the event has it; one that there is not is told with the one that was probably meant. */
async function named(session: Session, kind: Named, what: string): Promise<string> {
  switch (kind) {
    case 'batch':
      return asBatchId(what);
    case 'move':
      return asMoveId(what);
    case 'host':
      return (await findHost(await session.client(), what)).name;
    case 'endpoint':
      return (await findEndpoint(await session.client(), what)).endpoint;
    default:
      return kind satisfies never;
  }
}

const send = (session: Session, data: Json, options: PublishedOptions): Promise<number> =>
  requestBatch(session, 'command.requested', data, options);

/** `let nothing begin` → `Lets nothing begin`. */
const sentence = (summary: string): string =>
  summary.replace(/^(\w)(\w+)/, (_, first: string, rest: string) => `${first.toUpperCase()}${rest}s`);
