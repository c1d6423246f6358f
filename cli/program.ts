import tab from '@bomb.sh/tab/commander';
import { Command, type CommanderError } from 'commander';
import { exit } from './cli-error.ts';
import type { Session } from './session.ts';
import { printable } from './text.ts';
import { addAudit } from './verbs/audit.ts';
import { addBatch } from './verbs/batch.ts';
import { addPauseAll, moveCommands, moveVerbs } from './verbs/commands.ts';
import { addDeadLetters } from './verbs/dead-letters.ts';
import { addDoctor } from './verbs/doctor.ts';
import { addDrain } from './verbs/drain.ts';
import { addEndpoint } from './verbs/endpoint.ts';
import { addEnv } from './verbs/env.ts';
import { addExplain } from './verbs/explain.ts';
import { addExport } from './verbs/export.ts';
import { addHistory } from './verbs/history.ts';
import { addHost } from './verbs/host.ts';
import { addKnob } from './verbs/knob.ts';
import { addManifest } from './verbs/manifest.ts';
import { addMove } from './verbs/move.ts';
import { moveShowCommand, moveShowName } from './verbs/move-show.ts';
import { moveWatchCommand, moveWatchName } from './verbs/move-watch.ts';
import { addNotifications } from './verbs/notifications.ts';
import { addPlan } from './verbs/plan.ts';
import { addPublish } from './verbs/publish.ts';
import { addRebalance } from './verbs/rebalance.ts';
import { addRefusals } from './verbs/refusals.ts';
import { addStatus } from './verbs/status.ts';
import { addTrace } from './verbs/trace.ts';
import { addUp } from './verbs/up.ts';

/** Which installation is meant, and as whom. */
interface WhichOptions {
  readonly stateDir?: string;
  readonly stage?: string;
  readonly profile?: string;
}

/** All verbs of `dray`. */
export function buildProgram(session: Session): Command {
  const { stdout, stderr } = session.surroundings;
  const program = new Command('dray')
    .description('Moves live databases between hosts, in batches, while clients use them.')
    .option('--state-dir <folder>', "the embedded cloud's folder, if not the project's own (DRAY_STATE_DIR)")
    .option('--stage <name>', 'a deployed stage, as the AWS credentials of the environment reach it')
    .option('--profile <name>', 'credentials and region of this profile of the AWS configuration')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('  what next: dray --help, or --help behind a command, shows what there is.')
    .configureHelp({ helpWidth: Math.min(session.terminal.columns, 100) })
    .configureOutput({
      writeOut: (text) => stdout.write(safe(text)),
      writeErr: (text) => stderr.write(safe(text)),
    })
    .hook('preSubcommand', (root) => {
      const { stateDir, stage, profile } = root.opts<WhichOptions>();
      session.stateDir = stateDir;
      session.stage = stage;
      session.profile = profile;
    })
    .addHelpText(
      'after',
      `
First steps:
  dray up                                            an embedded cloud, here, until Ctrl-C
  dray host add a --url postgres://user:password@host:port/postgres
  dray endpoint discover a --add
  dray move <endpoint> --to b --wait
  dray explain <endpoint>                            why it waits or failed, and what to do

Exit codes: 0 done (with --wait: every endpoint has moved), 1 refused or failed, 2 the command line is wrong.
`,
    );
  addUp(program, session);
  addHost(program, session);
  addEndpoint(program, session);
  addMove(program, session);
  const create = (name: string): Command => program.createCommand(name);
  for (const command of [
    moveShowCommand(create, session),
    moveWatchCommand(create, session),
    ...moveCommands(create, session),
  ])
    program.addCommand(command.copyInheritedSettings(program));
  addDrain(program, session);
  addManifest(program, session);
  addRebalance(program, session);
  addPlan(program, session);
  addBatch(program, session);
  addPauseAll(program, session);
  addHistory(program, session);
  addExport(program, session);
  addExplain(program, session);
  addTrace(program, session);
  addKnob(program, session);
  addStatus(program, session);
  addDoctor(program, session);
  addAudit(program, session);
  addRefusals(program, session);
  addNotifications(program, session);
  addDeadLetters(program, session);
  addPublish(program, session);
  addEnv(program, session);
  // After all others: it reads what there is. Shells ask it by `dray complete -- <words>`.
  tab(program, { completionCommandName: 'completion' });
  const completion = program.commands.find((command) => command.name() === 'completion');
  completion?.description('Prints a script by which a shell completes verbs and options.');
  return program;
}

/** Lines stay lines; nothing else in them steers the terminal. */
const safe = (text: string): string => text.split('\n').map(printable).join('\n');

/** `move` and a word behind it that is a verb of moves are one word; see `moveShowName`. */
export function joinWords(argv: readonly string[]): string[] {
  const at = argv.findIndex((word, index) => word === 'move' && isVerb(argv, index));
  const joined = `move ${argv[at + 1] ?? ''}`;
  if (at < 0 || !wordsOfMoves.includes(joined)) return [...argv];
  return [...argv.slice(0, at), joined, ...argv.slice(at + 2)];
}

const wordsOfMoves: readonly string[] = [
  moveShowName,
  moveWatchName,
  ...moveVerbs.map((verb) => `move ${verb}`),
];

const isWhich = /^--(?:state-dir|stage|profile)(?:=|$)/;
const isWhichAlone = /^--(?:state-dir|stage|profile)$/;

/** The first word that is no option and no option's value. */
function isVerb(argv: readonly string[], index: number): boolean {
  const before = argv.slice(0, index).filter((word) => word !== 'help');
  return before.every((word, at) => isWhich.test(word) || isWhichAlone.test(before[at - 1] ?? ''));
}

/** How the process ends when the parser has said what it had to say. */
export function exitCodeOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? exit.done : exit.usage;
}
