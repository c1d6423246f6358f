import type { Command } from 'commander';
import { findCloud } from '../../local/cloud.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { CliError, exit } from '../cli-error.ts';
import { good, wrong, type Finding } from '../doctor/finding.ts';
import { examineInstallation } from '../doctor/installation.ts';
import { examineMachine } from '../doctor/machine.ts';
import { chooseStateDir, type ApiAccess } from '../installation.ts';
import { jsonOption, port } from '../options.ts';
import { count } from '../quantity.ts';
import type { Session } from '../session.ts';
import { styled, type Text } from '../text.ts';

interface DoctorOptions {
  readonly port?: number;
  readonly json?: boolean;
}

export function addDoctor(program: Command, session: Session): void {
  program
    .command('doctor')
    .summary('look for the usual troubles, and name the cure of each')
    .description(
      'Looks at this machine, the installation and every host, and changes nothing: ports, disk, programs, clock, ' +
        'addresses, passwords, privileges, wal_level, what is left of slots and workers. Exit code 1 if something does not work.',
    )
    .option('--port <number>', 'the port that dray up is to have', port)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  dray doctor\n  dray doctor --port 4566\n  dray --stage prod doctor --json\n',
    )
    .action(async ({ port: wanted, json = false }: DoctorOptions) => {
      const findings = await examine(session, wanted);
      const bad = findings.filter(({ state }) => state === 'bad').length;
      session.exitCode = bad > 0 ? exit.failed : exit.done;
      if (json) session.terminal.json({ findings });
      else say(session, findings, bad);
    });
}

/** Of a status API it can be told only whether it answers: hosts are nobody's that has no more than a key. */
async function examineApi(session: Session, { url }: ApiAccess): Promise<Finding> {
  try {
    const { views } = await session.client();
    const hosts = await everyPage((cursor) => views.hosts(cursor));
    return good(url, `answers; ${count(hosts.length, 'host')} registered`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return wrong(url, error.refusal);
  }
}

/** The machine only where an embedded cloud is meant; the installation wherever there is one. */
async function examine(session: Session, wanted: number | undefined): Promise<readonly Finding[]> {
  if (session.api !== undefined) return [await examineApi(session, session.api)];
  const stateDir = chooseStateDir(session.stateDir, session.surroundings.env);
  const isUp = session.stage === undefined && (await findCloud(stateDir)) !== undefined;
  const here = session.stage === undefined ? await examineMachine({ stateDir, port: wanted, isUp }) : [];
  try {
    return [...here, ...(await examineInstallation(await session.client()))];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // That nothing runs here has been said.
    return error.refusal.code === 'cloud-not-running'
      ? here
      : [...here, wrong('installation', error.refusal)];
  }
}

const marks: Readonly<Record<Finding['state'], Text>> = {
  good: styled('good', '✓ '),
  attention: styled('attention', '! '),
  bad: styled('bad', '✗ '),
};

function say({ terminal }: Session, findings: readonly Finding[], bad: number): void {
  for (const { of, state, sentence, cure } of findings) {
    terminal.line([marks[state], styled('strong', of), `: ${sentence}`]);
    if (cure !== undefined) terminal.line(styled('faint', `    what next: ${cure}`));
  }
  if (bad > 0) terminal.line(styled('bad', `${count(bad, 'thing')} to mend`));
}
