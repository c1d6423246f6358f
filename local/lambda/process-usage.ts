import { readFileSync } from 'node:fs';

/** Kernel clock ticks per second in /proc; fixed at 100 for user space on Linux. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process so far, in milliseconds; nothing when it is gone or the system has no /proc. */
export function cpuMsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/**
 * Memory that a process holds for itself, in MB: anonymous pages. The pages of the node binary are shared by all
 * environments and count for none.
 */
export function privateMbOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
    const kb = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}
