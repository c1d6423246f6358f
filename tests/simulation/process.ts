import type { RowKey } from '../../shared/contracts/rows/row.ts';
import { inProcess, type InProcess } from '../../shared/drivers/simulated/in-process.ts';
import type { Network } from '../../shared/drivers/simulated/network.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Dice } from '../support/dice.ts';
import type { Fault as TableFault, MemoryTable } from '../support/memory-table.ts';
import type { Exposure, FaultDesk } from './fault-desk.ts';
import type { CallTrouble } from './faults.ts';
import type { FunctionName } from './functions.ts';
import type { Happening, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** What all processes of a simulation share. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly faults: FaultDesk;
  readonly network: Network;
  readonly table: MemoryTable;
  /** Set by whatever may have changed something; what is as it was need not be looked at again. */
  readonly touched: { world: boolean };
  /** How the table is just now. */
  readonly weather: { table: 'well' | 'away' | 'slow' };
}

/** A call of a port: the only place where a process waits for the world. */
export interface Call extends Exposure {
  readonly name: string;
  readonly isTable: boolean;
  /** The row that is committed. */
  readonly key?: RowKey;
  /** What the caller gets when no answer comes. */
  readonly silence: () => Error;
}

type Outcome<T> = { readonly value: T } | { readonly error: Error };

/**
 * One process of a function: it lives for one invocation, has a clock of its own, and can be killed or stopped
 * at each of its calls. Its code runs only when the timeline says so.
 */
export class Process {
  readonly name: string;
  readonly fn: FunctionName;
  readonly clock: Clock;
  readonly transport: InProcess;
  isAlive = true;
  readonly #around: Surroundings;
  readonly #skewMs: number;
  readonly #intervals = new Set<() => void>();
  readonly #killed: () => void;
  #stoppedUntil = 0;
  #held: (() => void)[] = [];

  constructor(
    around: Surroundings,
    of: { readonly name: string; readonly fn: FunctionName; readonly skewMs: number },
    killed: () => void,
  ) {
    this.#around = around;
    this.name = of.name;
    this.fn = of.fn;
    this.#skewMs = of.skewMs;
    this.#killed = killed;
    const { timeline } = around;
    this.clock = {
      now: () => timeline.now + this.#skewMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      every: (ms, tick) => this.#every(ms, tick),
    };
    this.transport = inProcess(around.network, {
      now: () => timeline.now,
      sleep: (ms) =>
        new Promise((resolve) => {
          timeline.after(ms, resolve);
        }),
    });
  }

  get isStopped(): boolean {
    return this.#around.timeline.now < this.#stoppedUntil;
  }

  /** Timers that are still running. */
  get timers(): number {
    return this.#intervals.size;
  }

  /** Dies: nothing of it runs any more, and its connections end, sooner or later. */
  kill(why: string): void {
    if (!this.isAlive) return;
    const { timeline, dice, trace } = this.#around;
    trace.add(timeline.now, `${this.name} dies: ${why}`);
    this.isAlive = false;
    this.#held = [];
    for (const stop of this.#intervals) stop();
    const die = (): void => {
      this.transport.die();
    };
    if (dice.chance(0.5)) die();
    else timeline.after(dice.between(1, 2_000), die);
    this.#killed();
  }

  /** Stands still (as by SIGSTOP), and goes on later as if nothing had been. */
  stop(ms: number): void {
    if (!this.isAlive || this.isStopped) return;
    const { timeline, trace } = this.#around;
    trace.add(timeline.now, `${this.name} stands still for ${String(ms)} ms`);
    this.#stoppedUntil = timeline.now + ms;
    timeline.after(ms, () => {
      const held = this.#held;
      this.#held = [];
      // One after the other: each has its effect before the next.
      for (const run of held) timeline.after(0, () => this.enter(run));
    });
  }

  /** Runs code of this process, unless it is dead; later, if it stands still. */
  enter(run: () => void): void {
    if (!this.isAlive) return;
    if (this.isStopped) this.#held.push(run);
    else run();
  }

  /** Asks the world for something: it happens a while later, and the answer comes a while after that. */
  call<T>(call: Call, effect: () => Promise<T>): Promise<T> {
    const { timeline, dice, trace, faults } = this.#around;
    return new Promise((resolve, reject) => {
      const fault = faults.onCall(this.fn, call);
      if (fault?.what === 'stop') this.stop(fault.forMs);
      timeline.after(this.#latency(call), () => {
        // Its process died while the call was on its way: it may have got through.
        if (!this.isAlive && dice.chance(0.5)) return;
        const label = fault === undefined ? call.name : `${call.name} [${fault.what}]`;
        trace.add(timeline.now, `${this.name} ${label}`);
        if (fault?.what === 'kill-before') {
          this.kill('before the call');
          return;
        }
        void this.#perform(call, fault?.what, effect).then((outcome) => {
          if (fault?.what === 'kill-after') this.kill('after the call');
          timeline.after(this.#latency(call), () => {
            this.enter(() => {
              if ('error' in outcome) reject(outcome.error);
              else resolve(outcome.value);
            });
          });
        });
      });
    });
  }

  async #perform<T>(
    call: Call,
    trouble: CallTrouble | undefined,
    effect: () => Promise<T>,
  ): Promise<Outcome<T>> {
    const { table, touched } = this.#around;
    if (call.writes || !call.isTable) touched.world = true;
    const silence = this.#silenceOf(call, trouble);
    if (trouble === 'conflict' && call.key !== undefined) await this.#touch(call.key);
    if (silence === 'lost-request' && !call.writes) return { error: call.silence() };
    if (call.writes) table.fault = () => silence;
    try {
      const value = await effect();
      return silence === 'lost-answer' && !call.writes ? { error: call.silence() } : { value };
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      table.fault = () => 'none';
      if (silence === 'late') this.#landLater();
    }
  }

  #silenceOf(call: Call, trouble: CallTrouble | undefined): TableFault {
    const { weather, dice } = this.#around;
    if (trouble === 'lost-request' || trouble === 'lost-answer' || trouble === 'late') return trouble;
    if (!call.isTable || weather.table !== 'away') return 'none';
    return call.writes && dice.chance(0.3) ? 'lost-answer' : 'lost-request';
  }

  #landLater(): void {
    const { timeline, dice, table, trace, touched } = this.#around;
    timeline.after(dice.between(5, 8_000), () => {
      trace.add(timeline.now, 'a late write lands');
      touched.world = true;
      table.land();
    });
  }

  /** Another's write, which changes nothing but the version. */
  async #touch(key: RowKey): Promise<void> {
    await this.#around.table.write(key, (row) =>
      row === undefined ? 'refused' : { ...row, version: Number(row['version']) + 1, commitId: 'another' },
    );
  }

  #latency(call: Call): number {
    const { dice, weather } = this.#around;
    const slow = call.isTable && weather.table === 'slow' ? dice.between(300, 1_500) : 0;
    return dice.between(1, 8) + slow;
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        happening.run = undefined;
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const happening = this.#around.timeline.after(ms, () => {
        this.enter(wake);
      });
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  #every(ms: number, tick: () => void): () => void {
    let next: Happening;
    const stop = (): void => {
      next.run = undefined;
      this.#intervals.delete(stop);
    };
    const turn = (): void => {
      this.enter(() => {
        if (!this.#intervals.has(stop)) return;
        next = this.#around.timeline.after(ms, turn);
        tick();
      });
    };
    next = this.#around.timeline.after(ms, turn);
    this.#intervals.add(stop);
    return stop;
  }
}
