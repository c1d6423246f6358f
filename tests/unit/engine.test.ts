import { describe, expect, test } from '@jest/globals';
import { StepFailure, TokenSuperseded } from '../../shared/domain/failure.ts';
import type { Step } from '../../shared/workflow/engine/workflow.ts';
import { EngineBench, type Errand } from '../support/engine-bench.ts';

type ErrandStep = Step<Errand, string[]>;

const failure = { code: 'shop-closed', sentence: 'the shop is closed', cure: 'come again' };
const work = { kind: 'work', task: 'e1', phase: 'out' } as const;

function noted(name: string, more: Partial<ErrandStep> = {}): ErrandStep {
  return {
    run: (diary) => {
      diary.push(name);
      return Promise.resolve({ kind: 'done' });
    },
    undo: (diary) => {
      diary.push(`undo ${name}`);
      return Promise.resolve({ kind: 'done' });
    },
    ...more,
  };
}

const plain = { fetch: noted('fetch'), carry: noted('carry'), 'hand-in': noted('hand-in') };
const failing = (verdict: 'retry' | 'fail' | 'host-down') => (): Promise<never> =>
  Promise.reject(new StepFailure(failure, verdict));

describe('the step engine', () => {
  test('runs the steps of a phase in one invocation and hands over to the next phase', async () => {
    const bench = new EngineBench(plain);
    await bench.invoke(work);
    expect(bench.diary).toEqual(['fetch', 'carry']);
    expect(bench.status).toMatchObject({ state: 'running', step: 'hand-in' });
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'carry', 'hand-in']);
    expect(bench.status.state).toBe('completed');
  });

  test('does nothing on a repeat, a message of another phase, or one that comes after the end', async () => {
    const bench = new EngineBench(plain);
    await bench.invoke({ ...work, phase: 'back' });
    expect(bench.diary).toEqual([]);
    await bench.deliver();
    await bench.invoke(work);
    await bench.invoke(work);
    await bench.deliver();
    for (const phase of ['out', 'back', 'undo']) await bench.invoke({ ...work, phase });
    expect(bench.diary).toEqual(['fetch', 'carry', 'hand-in']);
  });

  test('sends the message that watches a worker before the worker begins', async () => {
    const bench = new EngineBench(plain);
    bench.beforeCommit = () => {
      expect(bench.sent.some(({ message }) => message.kind === 'dead-man' && message.token === 1)).toBe(true);
    };
    await bench.invoke(work);
  });

  test('a worker that dies is taken over when its lease has run out, and not before', async () => {
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', { run: () => Promise.reject(new Error('never reported')) }),
    });
    // The process dies before it can report how the step ended.
    bench.beforeCommit = (after) => {
      if (after.execution.last.fact === 'step-failed') throw new Error('killed');
    };
    await expect(bench.invoke(work)).rejects.toThrow('killed');
    bench.beforeCommit = () => undefined;
    Object.assign(bench.steps, plain);
    await bench.invoke(work, { owner: 'too-early' });
    expect(bench.diary).toEqual(['fetch']);
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'carry', 'hand-in']);
    expect(bench.task.execution.token).toBeGreaterThan(1);
  });

  test('a hand-over whose message was never sent is found by the dead-man message', async () => {
    const bench = new EngineBench(plain);
    await bench.invoke(work);
    const lost = bench.sent.findIndex(({ message }) => message.phase === 'back');
    bench.sent.splice(lost, 1);
    await bench.deliver();
    expect(bench.status.state).toBe('completed');
  });

  test('a step that fails three times is rolled back in reverse order, itself first', async () => {
    const bench = new EngineBench({ ...plain, carry: noted('carry', { run: failing('retry') }) });
    await bench.invoke(work);
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'undo carry', 'undo fetch']);
    expect(bench.status).toMatchObject({ state: 'rolled-back', reason: failure });
  });

  test('an undo that fails three times is stuck, with its reason', async () => {
    const bench = new EngineBench({
      ...plain,
      fetch: noted('fetch', { undo: failing('retry') }),
      carry: noted('carry', { run: failing('fail') }),
    });
    await bench.invoke(work);
    await bench.deliver();
    expect(bench.status).toMatchObject({ state: 'stuck', direction: 'back', step: 'fetch', reason: failure });
  });

  test('a host that is down charges nobody, until patience ends', async () => {
    const bench = new EngineBench({ ...plain, carry: noted('carry', { run: failing('host-down') }) });
    await bench.invoke(work);
    expect(bench.status).toMatchObject({ step: 'carry', failures: 0, waiting: { code: 'shop-closed' } });
    await bench.deliver();
    expect(bench.status.state).toBe('rolled-back');
  });

  test('stops at a safe point when its time is over, and goes on from its progress', async () => {
    const seen: unknown[] = [];
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', {
        run: (diary, hand) => {
          const at = typeof hand.progress === 'number' ? hand.progress : 0;
          seen.push(at);
          bench.clock.pass(900);
          if (at < 3) return Promise.resolve({ kind: 'continue', progress: at + 1 });
          diary.push('carry');
          return Promise.resolve({ kind: 'done' });
        },
      }),
    });
    await bench.invoke(work, { forMs: 1_000 });
    await bench.deliver();
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(bench.status.state).toBe('completed');
  });

  test('hand-overs that bring no progress end in a rollback that says so', async () => {
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', { run: () => Promise.resolve({ kind: 'continue', progress: 'same' }) }),
    });
    await bench.invoke(work);
    await bench.deliver();
    expect(bench.status).toMatchObject({ state: 'rolled-back', reason: { code: 'no-progress' } });
  });

  test('a retreat undoes back to the step it names and goes on from there', async () => {
    let lost = true;
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', {
        run: (diary) => {
          if (lost) {
            lost = false;
            return Promise.resolve({ kind: 'retreat', to: 'fetch', failure });
          }
          diary.push('carry');
          return Promise.resolve({ kind: 'done' });
        },
      }),
    });
    await bench.invoke(work);
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'undo carry', 'undo fetch', 'fetch', 'carry', 'hand-in']);
  });

  test('an undo that comes too late turns the work forward, for good', async () => {
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', {
        run: failing('fail'),
        undo: () => Promise.resolve({ kind: 'refused', step: 'hand-in' }),
      }),
    });
    await bench.invoke(work);
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'hand-in']);
    expect(bench.status.state).toBe('completed');
  });

  test('a worker whose token is superseded on a host reports nothing at all', async () => {
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', { run: () => Promise.reject(new TokenSuperseded('newer')) }),
    });
    await bench.invoke(work);
    expect(bench.status).toMatchObject({ state: 'running', step: 'carry', failures: 0, lease: { token: 1 } });
  });

  test('a worker that was turned round while it worked reports nothing of what it did', async () => {
    const bench = new EngineBench({
      ...plain,
      carry: noted('carry', {
        run: () => {
          const { execution, version } = bench.task;
          if (execution.status.state !== 'running') throw new Error('not running');
          const { forwardOnly: _, retreats: __, ...working } = execution.status;
          const status = { ...working, state: 'rolling-back', reason: failure } as const;
          bench.rows.set('e1', { id: 'e1', execution: { ...execution, status }, version: version + 1 });
          return Promise.resolve({ kind: 'done' });
        },
      }),
    });
    await bench.invoke(work);
    expect(bench.status).toMatchObject({ state: 'rolling-back', step: 'carry' });
    await bench.deliver();
    expect(bench.diary).toEqual(['fetch', 'undo carry', 'undo fetch']);
  });

  test('short waits are slept through, long ones are re-queued and say what they wait for', async () => {
    let asked = 0;
    const waitFor =
      (afterMs: number): NonNullable<ErrandStep['run']> =>
      () => {
        asked += 1;
        return Promise.resolve(
          asked > 3 ? { kind: 'done' } : { kind: 'wait', code: 'queue', on: 'the queue', afterMs },
        );
      };
    const bench = new EngineBench({ ...plain, carry: noted('carry', { run: waitFor(500) }) });
    await bench.invoke(work);
    expect(bench.status).toMatchObject({ step: 'hand-in' });
    asked = 0;
    const other = new EngineBench({ ...plain, carry: noted('carry', { run: waitFor(5_000) }) });
    await other.invoke(work);
    expect(other.status).toMatchObject({ step: 'carry', waiting: { code: 'queue', on: 'the queue' } });
    await other.deliver();
    expect(other.status.state).toBe('completed');
  });
});
