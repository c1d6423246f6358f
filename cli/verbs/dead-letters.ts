import type { Command } from 'commander';
import { isMoveId } from '../../shared/domain/ids.ts';
import type { Letter, LetterDeed } from '../../shared/domain/letter.ts';
import { CliError, exit, usageError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { relayFailures, type DeadLetter } from '../dead-letters.ts';
import { aboutOf, attempts, causeOf, reportOf, type KnownLetter } from '../known-letter.ts';
import { jsonOption, spanOption } from '../options.ts';
import { count, showDuration } from '../quantity.ts';
import { pastHours } from '../past-hours.ts';
import { ourSource, type Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';

interface JsonFlag {
  readonly json?: boolean;
}
interface DeedOptions extends JsonFlag {
  readonly all?: boolean;
  readonly reason: string;
}

export function addDeadLetters(program: Command, session: Session): void {
  const group = program
    .command('dead-letters')
    .summary('messages that their functions failed on: list, show, redrive, discard, history')
    .description('Messages that were set aside because their functions failed on them again and again.');
  group
    .command('list')
    .summary('all of them, with the reason')
    .addOption(jsonOption())
    .action(async ({ json = false }: JsonFlag) => {
      await list(session, json);
    });
  group
    .command('show')
    .summary('one of them, with its body')
    .argument('<id>', 'its id, or the beginning of it')
    .addOption(jsonOption())
    .action(async (id: string, { json = false }: JsonFlag) => {
      await show(session, id, json);
    });
  for (const [name, kind, summary] of [
    ['redrive', 'redriven', 'put back to their queues'],
    ['discard', 'discarded', 'thrown away'],
  ] as const) {
    group
      .command(name)
      .summary(`have one, or all, ${summary}; it is recorded who and why`)
      .argument('[id]', 'its id, or the beginning of it')
      .option('--all', 'all there are')
      .requiredOption('--reason <text>', 'why, for whoever asks later')
      .addOption(jsonOption())
      .action(async (id: string | undefined, options: DeedOptions) => {
        session.exitCode = await act(session, kind, id, options);
      });
  }
  group
    .command('history')
    .summary('which were put back or thrown away, by whom and why')
    .addOption(spanOption())
    .addOption(jsonOption())
    .action(async ({ since, json = false }: JsonFlag & { readonly since: number }) => {
      await history(session, since, json);
    });
}

async function list(session: Session, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  await looking(client, async (letters) => {
    if (json) {
      terminal.json({ letters: letters.map(reportOf) });
      return;
    }
    if (letters.length === 0) {
      terminal.line('There are no dead letters.');
      return;
    }
    const now = client.clock.now();
    const rows = letters.map(({ letter, known }): Text[] => [
      letter.id,
      letter.queue,
      `${showDuration(now - letter.sentAt)} ago`,
      String(attempts({ letter, known })),
      styled('bad', causeOf({ letter, known }).code),
      aboutOf(letter) ?? '',
      causeOf({ letter, known }).sentence,
    ]);
    const head = ['id', 'queue', 'sent', 'attempts', 'error', 'about', ''];
    for (const line of columns([head.map((word) => styled('faint', word)), ...rows], new Set([3])))
      terminal.line(line);
    terminal.line(styled('faint', '  dray dead-letters show <id>'));
  });
}

async function show(session: Session, id: string, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  await looking(client, async (letters) => {
    const found = oneOf(letters, id);
    if (json) {
      terminal.json(reportOf(found));
      return;
    }
    const { letter } = found;
    const { code, sentence, cure } = causeOf(found);
    const about = aboutOf(letter);
    terminal.line([styled('strong', `letter ${letter.id}`), `  ${letter.queue}`]);
    terminal.line([
      `  sent ${new Date(letter.sentAt).toISOString()}, failed ${count(attempts(found), 'time')}: `,
      styled('bad', code),
    ]);
    terminal.line(`  ${sentence}`);
    terminal.line(`  what next: ${cure}`);
    terminal.line(['  ', letter.body]);
    if (about !== undefined && isMoveId(about)) terminal.line(styled('faint', `  dray move show ${about}`));
    for (const verb of ['redrive', 'discard'])
      terminal.line(styled('faint', `  dray dead-letters ${verb} ${letter.id} --reason …`));
  });
}

async function act(
  session: Session,
  kind: LetterDeed['kind'],
  id: string | undefined,
  { all = false, reason, json = false }: DeedOptions,
): Promise<number> {
  if (all === (id !== undefined)) {
    throw usageError(
      'letter-unnamed',
      'Which letters are meant is not clear',
      'name one by its id, or give --all',
    );
  }
  const { terminal } = session;
  const client = await session.client();
  return looking(client, async (letters) => {
    const wanted = id === undefined ? letters : [oneOf(letters, id)];
    const [able, unable] = [wanted.filter(canBe(kind)), wanted.filter((one) => !canBe(kind)(one))];
    if (id !== undefined && unable.length > 0) throw noWayBack(id);
    for (const { letter, known } of able) {
      const at = client.clock.now();
      await record(client, letter, known, { kind, by: ourSource(), reason, at });
      await (kind === 'redriven' ? client.deadLetters.putBack(letter) : client.deadLetters.discard(letter));
    }
    const left = unable.map(({ letter }) => letter.id);
    if (json) terminal.json({ [kind]: able.map(({ letter }) => letter.id), left });
    else {
      terminal.line(`${count(able.length, 'letter')} ${kind}.`);
      if (left.length > 0)
        terminal.line(`${count(left.length, 'letter')} of the stream cannot be put back: discard them.`);
    }
    return left.length > 0 ? exit.failed : exit.done;
  });
}

/** What failed on its way out of the stream has no queue to go back to. */
const canBe =
  (kind: LetterDeed['kind']) =>
  ({ letter }: KnownLetter): boolean =>
    kind === 'discarded' || letter.queue !== relayFailures;

async function history(session: Session, sinceMs: number, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  const keys = await pastHours(client.clock, sinceMs, (hour, cursor) => client.views.lettersAt(hour, cursor));
  const letters = (await client.store.loadMany('letter', keys)).flatMap((letter) =>
    letter?.deed === undefined ? [] : [{ ...letter, deed: letter.deed }],
  );
  if (json) {
    terminal.json({
      letters: letters.map(({ message, queue, failure, deed }) => ({
        id: message,
        queue,
        ...(failure === undefined ? {} : { code: failure.code }),
        deed: deed.kind,
        by: deed.by,
        reason: deed.reason,
        at: new Date(deed.at).toISOString(),
      })),
    });
    return;
  }
  if (letters.length === 0) terminal.line('No dead letter was put back or thrown away in that time.');
  const rows = letters.map(({ message, queue, deed }): Text[] => [
    new Date(deed.at).toISOString(),
    message,
    queue,
    deed.kind,
    deed.by,
    deed.reason,
  ]);
  for (const line of columns(rows)) terminal.line(line);
}

/** Takes all letters for as long as `use` lasts; those that are still there then are seen by others again. */
async function looking<T>(client: Client, use: (letters: readonly KnownLetter[]) => Promise<T>): Promise<T> {
  const taken = await client.deadLetters.take();
  try {
    const known = await client.store.loadMany(
      'letter',
      taken.map(({ id }) => ({ message: id })),
    );
    return await use(taken.map((letter, index) => ({ letter, known: known[index] })));
  } finally {
    await client.deadLetters.release(taken);
  }
}

/** Before it is done: what is recorded and not done is there to be done again. */
async function record(
  { store, journal }: Client,
  letter: DeadLetter,
  known: Letter | undefined,
  deed: LetterDeed,
): Promise<void> {
  const { id: message, queue, receives } = letter;
  const before = known ?? { message, queue, receives, at: deed.at, version: 1 };
  const isRecorded =
    known === undefined
      ? (await store.insert('letter', { ...before, deed })) === 'inserted'
      : (await store.commit('letter', known, { ...known, deed })).kind === 'committed';
  if (!isRecorded) {
    throw new CliError({
      code: 'letter-changed',
      sentence: `Somebody else works on letter ${message} just now`,
      cure: 'look at it again: dray dead-letters list',
    });
  }
  const about = aboutOf(letter);
  const move = about !== undefined && isMoveId(about) ? await store.load('move', { id: about }) : undefined;
  if (move === undefined) return;
  const { state } = move.execution.status;
  const { kind, by, reason, at } = deed;
  const entry = { move: move.id, version: move.version, at, by, fact: `letter-${kind}` };
  await journal.append([{ ...entry, from: state, to: state, note: reason, letter: message }]);
}

function oneOf(letters: readonly KnownLetter[], id: string): KnownLetter {
  const found = letters.filter(({ letter }) => letter.id.startsWith(id));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  throw new CliError({
    code: one === undefined ? 'letter-unknown' : 'letter-ambiguous',
    sentence: one === undefined ? `There is no dead letter ${id}` : `Several dead letters begin with ${id}`,
    cure: 'see them with dray dead-letters list; one that somebody looks at just now is there again in a minute',
  });
}

function noWayBack(id: string): CliError {
  return new CliError({
    code: 'letter-without-way-back',
    sentence: `Letter ${id} is about changes of rows that could not be passed on; a stream takes nothing back`,
    cure: `rows and sweep make good what it was about: dray dead-letters discard ${id} --reason …`,
  });
}
