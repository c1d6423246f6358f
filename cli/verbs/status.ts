import type { Command } from 'commander';
import type { Dials, Scaler } from '../../shared/domain/scaling.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { exit } from '../cli-error.ts';
import { allBatches } from '../find-move.ts';
import type { Client } from '../client.ts';
import { jsonOption } from '../options.ts';
import { count } from '../quantity.ts';
import { timeOf } from '../render-batch.ts';
import type { Session } from '../session.ts';
import { styled } from '../text.ts';
import { countRefusals } from './refusals.ts';

const day = 86_400_000;

export function addStatus(program: Command, session: Session): void {
  program
    .command('status')
    .summary('what is going on, and what needs a person')
    .description(
      'Hosts, batches, and what needs a person: stuck moves and dead letters. Exit code 1 with --check if there are any.',
    )
    .option('--check', 'exit code 1 when something needs a person')
    .addOption(jsonOption())
    .action(
      async ({ check = false, json = false }: { readonly check?: boolean; readonly json?: boolean }) => {
        const status = await look(session);
        if (json) session.terminal.json(status);
        else say(session, status);
        const needsPerson = status.stuck > 0 || status.deadLetters.total > 0;
        session.exitCode = check && needsPerson ? exit.failed : exit.done;
      },
    );
}

async function look(session: Session) {
  const client = await session.client();
  const [hosts, batches, counts, refusals, scalers] = await Promise.all([
    everyPage((cursor) => client.views.hosts(cursor)),
    allBatches(client),
    client.deadLetters.counts(),
    countRefusals(client, day),
    readScalers(client),
  ]);
  return {
    installation: client.installation.names.installation,
    hosts: hosts.length,
    batches: {
      open: batches.filter(({ state }) => state !== 'completed').length,
      completed: batches.filter(({ state }) => state === 'completed').length,
    },
    stuck: batches.reduce((sum, { counts: moves }) => sum + (moves.stuck ?? 0), 0),
    deadLetters: {
      total: counts.reduce((sum, { letters }) => sum + letters, 0),
      queues: Object.fromEntries(
        counts.flatMap(({ queue, letters }) => (letters > 0 ? [[queue, letters]] : [])),
      ),
    },
    refusedToday: refusals,
    scaling: scalers.map(({ target, dials, alarms, decisions }) => ({
      target,
      permits: dials,
      alarms,
      decisions,
    })),
  };
}

/** What the autoscaler knows of, in the order of their names. */
async function readScalers(client: Client): Promise<readonly Scaler[]> {
  const targets = await everyPage((cursor) => client.views.scalers(cursor));
  const found = await client.store.loadMany(
    'scaler',
    targets.map((target) => ({ target })),
  );
  return found.filter((scaler) => scaler !== undefined);
}

/** The last decisions of all, newest first: what was changed, and why. */
function sayScaling({ terminal }: Session, scaling: Awaited<ReturnType<typeof look>>['scaling']): void {
  const decided = scaling.flatMap(({ target, decisions }) => decisions.map((each) => ({ target, ...each })));
  for (const { target, at, from, to, reason } of decided
    .sort((one, other) => other.at - one.at)
    .slice(0, 5)) {
    const change = `${showDials(from)} → ${showDials(to)}`;
    terminal.line(`  permits of ${target} ${change} at ${timeOf(at)}: ${reason}`);
  }
}

const showDials = ({ out, in: into, moves }: Dials): string =>
  moves === undefined ? `${String(out)} out, ${String(into)} in` : String(moves);

function say(session: Session, status: Awaited<ReturnType<typeof look>>): void {
  const { terminal } = session;
  const { deadLetters, stuck, batches, refusedToday } = status;
  terminal.line([styled('strong', status.installation), `  ${count(status.hosts, 'host')}`]);
  terminal.line(
    `  ${count(batches.open, 'batch', 'batches')} under way, ${String(batches.completed)} completed`,
  );
  terminal.line(
    stuck === 0 ? '  no move is stuck' : styled('bad', `✗ ${count(stuck, 'move')} stuck: dray batch list`),
  );
  const queues = Object.entries(deadLetters.queues).map(([queue, letters]) => `${queue} ${String(letters)}`);
  terminal.line(
    deadLetters.total === 0
      ? '  no dead letters'
      : styled(
          'bad',
          `✗ ${count(deadLetters.total, 'dead letter')} (${queues.join(', ')}): dray dead-letters list`,
        ),
  );
  terminal.line(
    refusedToday === 0
      ? '  nothing was refused in the last day'
      : styled('attention', `! ${count(refusedToday, 'event')} refused in the last day: dray refusals`),
  );
  sayScaling(session, status.scaling);
}
