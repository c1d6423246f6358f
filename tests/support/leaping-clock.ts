import { setTimeout as delay } from 'node:timers/promises';
import { machineClock } from '../../shared/runtime/clock.ts';
import type { Clock } from '../../shared/ports/clock.ts';

/** At most this much of a wait passes in real time, so that servers can do what is waited for. */
const realMs = 300;

/** The machine's time, of which waits between two invocations are leapt over. */
export class LeapingClock implements Clock {
  #leapt = 0;

  now(): number {
    return machineClock.now() + this.#leapt;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return machineClock.sleep(ms, signal);
  }

  every(ms: number, tick: () => void): () => void {
    return machineClock.every(ms, tick);
  }

  /** Goes on to `time`: a little of the wait is real. */
  async reach(time: number): Promise<void> {
    const ms = time - this.now();
    if (ms <= 0) return;
    await delay(Math.min(ms, realMs));
    this.#leapt += Math.max(0, time - this.now());
  }
}
