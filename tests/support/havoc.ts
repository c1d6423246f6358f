import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../../local/cloud.ts';
import { Dice } from './dice.ts';

/** What was done to whom. */
export interface Havoc {
  readonly killed: number;
  readonly stopped: number;
}

export interface HavocOptions {
  /** Repeats the same choices; printed by the test when it fails. */
  readonly seed: number;
  readonly everyMs: number;
  /** How long a stopped process stays stopped: longer than any lease. */
  readonly stoppedMs: number;
}

/**
 * Kills (SIGKILL) or stops (SIGSTOP, and much later SIGCONT) one working function process after another,
 * until the returned function is called. Whoever was stopped is continued then at the latest.
 */
export function wreak(cloud: Cloud, options: HavocOptions): () => Promise<Havoc> {
  const dice = new Dice(options.seed);
  const stop = new AbortController();
  const continuing = new Set<Promise<void>>();
  let killed = 0;
  let stopped = 0;

  async function strike(): Promise<void> {
    const working = (await cloud.environments()).filter(({ state }) => state === 'busy');
    const victim = working[Math.floor(dice.fraction() * working.length)];
    if (victim === undefined) return;
    if (dice.chance(0.6)) {
      if (signal(victim.pid, 'SIGKILL')) killed += 1;
      return;
    }
    if (!signal(victim.pid, 'SIGSTOP')) return;
    stopped += 1;
    const continued = sleep(options.stoppedMs, undefined, { signal: stop.signal })
      .catch(() => undefined)
      .then(() => {
        signal(victim.pid, 'SIGCONT');
      });
    continuing.add(continued);
    void continued.then(() => continuing.delete(continued));
  }

  const raging = (async () => {
    while (!stop.signal.aborted) {
      await strike();
      await sleep(options.everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();

  return async () => {
    stop.abort();
    await raging;
    await Promise.all(continuing);
    return { killed, stopped };
  };
}

/** @returns false when the process is gone */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
