import { expect, test } from '@jest/globals';
import { underWay } from '../../shared/workflow/engine/phase.ts';
import { Holder } from '../../shared/workflow/engine/holder.ts';
import type { Tasks } from '../../shared/workflow/engine/workflow.ts';
import { errandShape, ManualClock, type Errand } from '../support/engine-bench.ts';

const token = 7;

function held(): Errand {
  return {
    id: 'errand-1',
    version: 1,
    execution: {
      workflow: 'errand',
      run: 1,
      token,
      status: {
        state: 'running',
        step: 'fetch',
        failures: 0,
        idleHandovers: 0,
        deaths: 0,
        spentMs: 0,
        dueAt: 0,
        forwardOnly: false,
        retreats: 0,
        lease: { owner: 'worker', token, until: 10_000_000 },
      },
      results: {},
      timings: {},
      last: { fact: 'claimed', at: 0, by: 'worker' },
    },
  };
}

test('a report that is stored while later ones are on their way does not throw the worker back a step', async () => {
  const stored: Errand[] = [held()];
  const waiting: (() => void)[] = [];
  const tasks: Tasks<Errand> = {
    load: () => Promise.resolve(stored.at(-1)),
    commit: async (before, after) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      const record = { ...after, version: before.version + 1 };
      stored.push(record);
      return { kind: 'committed', record };
    },
  };
  /** The table answers one commit, and everybody hears of it. */
  const answer = async (): Promise<void> => {
    while (waiting.length === 0) await Promise.resolve();
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const clock = new ManualClock();
  const bus = { sendWork: () => Promise.resolve() };
  const services = { clock, bus: { ...unused, ...bus } };
  const holder = new Holder(services, errandShape, tasks, { task: held(), by: 'worker', leaseMs: 3_000 });
  const step = (): string | undefined => underWay(holder.task.execution)?.step;

  const stop = holder.keepAlive(() => undefined);
  clock.pass(1_000);
  holder.reportSoon({ kind: 'step-finished', token, ms: 1, result: 'fetched' });
  expect(step()).toBe('carry');
  await answer();
  expect(step()).toBe('carry');
  await answer();
  expect(step()).toBe('carry');
  expect(stored.map(({ execution }) => underWay(execution)?.step)).toEqual(['fetch', 'fetch', 'carry']);
  expect(stored.at(-1)?.execution.results).toEqual({ fetch: 'fetched' });
  await stop();
});

const unused = {
  sendPlan: () => Promise.resolve(),
  sendDispatch: () => Promise.resolve(),
  sendHostSweep: () => Promise.resolve(),
  announce: () => Promise.resolve(),
  notify: () => Promise.resolve(),
  publish: () => Promise.resolve(),
};
