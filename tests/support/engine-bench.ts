import type { Execution } from '../../shared/domain/execution.ts';
import type { WorkflowShape } from '../../shared/domain/workflow-shape.ts';
import type { WorkMessage } from '../../shared/ports/bus.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import { type TracePlace } from '../../shared/domain/trace.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import type { Services } from '../../shared/workflow/services.ts';
import { work } from '../../shared/workflow/engine/work.ts';
import type { Step, Task, Tasks, Workflow } from '../../shared/workflow/engine/workflow.ts';
import { scalingBounds } from './scaling-bounds.ts';

/** Time that passes only when somebody waits for it. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #ticks = new Set<{ readonly every: number; due: number; readonly tick: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    this.pass(ms);
    return Promise.resolve();
  }

  every(ms: number, tick: () => void): () => void {
    const entry = { every: ms, due: this.#now + ms, tick };
    this.#ticks.add(entry);
    return () => this.#ticks.delete(entry);
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const entry of this.#ticks) {
      if (entry.due > this.#now) continue;
      entry.due = this.#now + entry.every;
      entry.tick();
    }
  }
}

/** A piece of work that has nothing to do with endpoints: the engine must not mind. */
export type Errand = Task;

export const errandShape: WorkflowShape = {
  name: 'errand',
  steps: [
    { name: 'fetch', phase: 'out' },
    { name: 'carry', phase: 'out' },
    { name: 'hand-in', phase: 'back' },
  ],
  rollbackPhase: 'undo',
  labels: {},
  limits: {
    attempts: 3,
    forwardAttempts: 4,
    idleHandovers: 2,
    deaths: 3,
    patienceMs: 10_000,
    retreats: 2,
    backoffMs: 1_000,
    backoffCapMs: 8_000,
  },
};

/** What all errands are a part of. */
export const errandPlace: TracePlace = { trace: 'e'.repeat(32), span: '1'.repeat(16), sampled: true };

/** Runs errands over memory and a hand-turned clock, and keeps what was sent. */
export class EngineBench {
  readonly clock = new ManualClock();
  readonly sent: { readonly message: WorkMessage; readonly at: number }[] = [];
  readonly rows = new Map<string, Errand>();
  readonly steps: Record<string, Step<Errand, string[]>>;
  readonly diary: string[] = [];
  /** Who hears of spans: nobody, until a test listens. */
  tracer = untraced;
  /** Figures, and what each is of. */
  readonly noted: (readonly unknown[])[] = [];
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  /** Called before each commit: throw to lose it. */
  beforeCommit: (after: Errand) => void = () => undefined;

  constructor(steps: Record<string, Step<Errand, string[]>>) {
    this.steps = steps;
    const execution: Execution = {
      workflow: 'errand',
      run: 1,
      token: 0,
      status: {
        state: 'running',
        step: 'fetch',
        failures: 0,
        idleHandovers: 0,
        deaths: 0,
        spentMs: 0,
        dueAt: this.clock.now(),
        forwardOnly: false,
        retreats: 0,
      },
      results: {},
      timings: {},
      last: { fact: 'begun', at: 0, by: 'test' },
    };
    this.rows.set('e1', { id: 'e1', execution, version: 1 });
  }

  get status(): Execution['status'] {
    return this.task.execution.status;
  }

  get task(): Errand {
    const task = this.rows.get('e1');
    if (task === undefined) throw new Error('no errand');
    return task;
  }

  /** One invocation with one message. */
  async invoke(
    message: WorkMessage,
    options: { readonly owner?: string; readonly forMs?: number } = {},
  ): Promise<void> {
    const until = this.clock.now() + (options.forMs ?? 60_000);
    const { clock, sent } = this;
    const services: Pick<Services, 'bus' | 'clock' | 'chance' | 'log' | 'meter' | 'tracer' | 'settings'> = {
      clock,
      chance: { fraction: () => 0, unique: () => 'u', digest: () => 'd' },
      log: {
        info: this.#hear,
        warn: this.#hear,
        error: this.#hear,
      },
      meter: {
        note: (metric, value, ...of) => {
          this.noted.push([metric, value, ...of]);
        },
      },
      tracer: this.tracer,
      settings: {
        installation: 'test',
        leaseMs: { out: 3_000, back: 2_000, undo: 3_000 },
        slowStoreMs: 1,
        patienceMs: 1,
        freshMs: 1,
        hostNetworks: anyNetwork,
        scaling: scalingBounds,
      },
      bus: {
        sendWork: (sending, afterMs) => {
          sent.push({ message: sending, at: clock.now() + afterMs });
          return Promise.resolve();
        },
        sendPlan: () => Promise.resolve(),
        sendDispatch: () => Promise.resolve(),
        sendHostSweep: () => Promise.resolve(),
        announce: () => Promise.resolve(),
        publish: () => Promise.resolve(),
        notify: () => Promise.resolve(),
      },
    };
    await work(services, this.#workflow(), message, {
      owner: options.owner ?? 'worker',
      remainingMs: () => until - clock.now(),
    });
  }

  /** Delivers what was sent, in order of time, until nothing is left or `turns` are over. */
  async deliver(turns = 50): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      this.sent.sort((a, b) => a.at - b.at);
      const next = this.sent.shift();
      if (next === undefined) return;
      this.clock.pass(Math.max(0, next.at - this.clock.now()));
      await this.invoke(next.message);
    }
  }

  readonly #hear = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    this.logged.push({ message, fields });
  };

  #workflow(): Workflow<Errand, string[]> {
    const { rows } = this;
    const tasks: Tasks<Errand> = {
      load: (id) => Promise.resolve(rows.get(id)),
      commit: (before, after) => {
        this.beforeCommit(after);
        if (rows.get(before.id)?.version !== before.version) return Promise.resolve({ kind: 'conflict' });
        const record = { ...after, version: before.version + 1 };
        rows.set(before.id, record);
        return Promise.resolve({ kind: 'committed', record });
      },
    };
    return {
      shape: errandShape,
      steps: this.steps,
      tasks,
      about: ({ id }) => ({ errand: id }),
      placeOf: () => errandPlace,
      open: () => Promise.resolve(this.diary),
      close: () => Promise.resolve(),
    };
  }
}
