/** Process ids and signals, for servers whose sessions are processes of their own. */
import { execFileSync } from 'node:child_process';

/** A process and its children, the process first. */
export function treeOf(pid: number): number[] {
  try {
    const children = execFileSync('pgrep', ['-P', pid.toString()], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [pid, ...children.split('\n').filter(Boolean).map(Number)];
  } catch {
    // pgrep ends with 1 when there is no child.
    return [pid];
  }
}

/** Sends a signal to each; those that have ended meanwhile are passed over. */
export function signalTree(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      continue;
    }
  }
}

/** True while the process exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
