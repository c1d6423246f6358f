import { spawn } from 'node:child_process';

/** Watches over this process and kills a process group when it is gone. */
export interface Guardian {
  /** The group has ended: the guardian is not needed any more. */
  dismiss(): void;
}

/**
 * Starts a shell that reads from a pipe which only we hold open. When we end, in whatever way (also by SIGKILL), the
 * pipe closes and the shell kills the whole group, stopped processes too. It has a session of its own, so that
 * Ctrl-C in a terminal does not end it before its time.
 */
export function startGuardian(group: number): Guardian {
  const script = 'read -r _; kill -KILL -- "-$1"';
  const shell = spawn('/bin/sh', ['-c', script, 'drayage-guardian', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    dismiss: () => {
      shell.kill('SIGKILL');
    },
  };
}
