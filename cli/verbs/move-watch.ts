import type { Command } from 'commander';
import type { MoveId } from '../../shared/domain/ids.ts';
import { isSettled, labelOf, type Move } from '../../shared/domain/move.ts';
import { isArrived } from '../../shared/workflow/explain/batch-snapshot.ts';
import type { Client } from '../client.ts';
import { exit } from '../cli-error.ts';
import { findMove } from '../find-move.ts';
import { moveLine, noteOf, stepNumber, widthsFor, doing } from '../move-line.ts';
import { asMoveId } from '../names.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

export const moveWatchName = 'move watch';
const everyMs = 250;

/** `dray move watch <id>`; which word that is, see `moveShowName`. */
export function moveWatchCommand(create: (name: string) => Command, session: Session): Command {
  return create(moveWatchName)
    .summary('watch a move until it has arrived or is back')
    .description('Watches a move until it has arrived or is back. Ctrl-C ends the watch, not the move.')
    .argument('<id>', 'the move')
    .action(async (text: string) => {
      session.exitCode = await watch(session, asMoveId(text));
    });
}

async function watch(session: Session, id: MoveId): Promise<number> {
  const client = await session.client();
  const interrupt = new AbortController();
  const off = session.surroundings.onInterrupt(() => {
    interrupt.abort();
  });
  const drawing = session.terminal.isLive ? draw(session.terminal) : tell(session.terminal);
  try {
    for (;;) {
      const move = await findMove(client, id);
      drawing.show(move);
      const label = labelOf(move.execution);
      if (isSettled(label)) return isArrived(label) ? exit.done : exit.failed;
      if (interrupt.signal.aborted) return exit.interrupted;
      await rest(client, interrupt.signal);
    }
  } finally {
    drawing.done();
    off();
  }
}

const rest = ({ clock }: Client, signal: AbortSignal): Promise<void> => clock.sleep(everyMs, signal);

interface Drawing {
  show(move: Move): void;
  done(): void;
}

/** One line that is drawn in place. */
function draw(terminal: Terminal): Drawing {
  const block = terminal.live();
  return {
    show: (move) => {
      block.show([moveLine(move, terminal.columns - 1, widthsFor([move], terminal.columns))]);
    },
    done: () => {
      block.done();
    },
  };
}

/** A line for each step, and for each thing that it waits for. */
function tell(terminal: Terminal): Drawing {
  let last = '';
  return {
    show: (move) => {
      const note = noteOf(move);
      const line = `${move.endpoint} ${stepNumber(move)} ${doing(move)}${note === '' ? '' : `: ${note}`}`;
      if (line !== last) terminal.line(line);
      last = line;
    },
    done: () => undefined,
  };
}
