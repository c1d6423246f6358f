import type { Log } from '../../ports/log.ts';
import { underWay } from './phase.ts';
import type { Task, Workflow } from './workflow.ts';

/** A log whose every line says which piece of work it is about, as that stands when the line is written. */
export function logAbout<T extends Task, Session>(
  log: Log,
  { about }: Pick<Workflow<T, Session>, 'about'>,
  look: () => T,
): Log {
  const fields = (): Readonly<Record<string, unknown>> => {
    const task = look();
    const { run, token, status } = task.execution;
    const step = underWay(task.execution);
    return {
      ...about(task),
      run,
      token,
      state: status.state,
      ...(step === undefined ? {} : { step: step.step, attempt: step.failures + 1 }),
    };
  };
  return {
    info: (message, more) => {
      log.info(message, { ...fields(), ...more });
    },
    warn: (message, more) => {
      log.warn(message, { ...fields(), ...more });
    },
    error: (message, more) => {
      log.error(message, { ...fields(), ...more });
    },
  };
}
