import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a process of the cloud is started. */
export interface OwnedProcessOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  readonly cwd?: string;
}

function findExecutable(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

const setpriv = process.platform === 'linux' ? findExecutable('setpriv') : undefined;

/**
 * Starts a process that must not outlive this one. It stays in our process group, which the guardian kills as a
 * whole; where Linux offers it, the kernel kills the process too when we die, stopped (SIGSTOP) or not.
 */
export function spawnOwned(
  command: string,
  args: readonly string[],
  options: OwnedProcessOptions,
): ChildProcess {
  const settings = {
    env: options.env,
    stdio: options.stdio,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  return setpriv === undefined
    ? spawn(command, args, settings)
    : spawn(setpriv, ['--pdeathsig', 'KILL', command, ...args], settings);
}

/** Resolves once the process has ended; kills it if `afterMs` have passed. */
export async function ended(child: ChildProcess, afterMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
