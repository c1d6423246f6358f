import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../shared/domain/decide.ts';
import { isTerminal, type Execution } from '../../shared/domain/execution.ts';
import type { Fact } from '../../shared/domain/fact.ts';
import { moveEndpointShape as shape, stepIndex } from '../../shared/domain/workflow-shape.ts';

const failure = { code: 'x', sentence: 'x', cure: 'x' };
const token = fc.constantFrom('own', 'own', 'own', 'own', 'old', 'future');
const ms = fc.nat(1_000);
const chance = fc.double({ min: 0, max: 0.999, noNaN: true });

/** How often a kind of fact comes. By even chance hardly any story would come to its end. */
type Mood = Readonly<Record<'forward' | 'sideways' | 'trouble' | 'end', number>>;
const calm: Mood = { forward: 140, sideways: 38, trouble: 2, end: 1 };
const stormy: Mood = { forward: 80, sideways: 10, trouble: 80, end: 5 };

/** A fact whose token is chosen relative to the execution at hand. */
const factsIn = (mood: Mood): fc.Arbitrary<(own: number) => Fact> =>
  fc
    .tuple(
      fc.oneof(
        {
          weight: mood.forward,
          arbitrary: fc.constantFrom(
            'admitted' as const,
            'claimed' as const,
            'claimed' as const,
            'step-finished' as const,
          ),
        },
        {
          weight: mood.sideways,
          arbitrary: fc.constantFrom(
            'set-back' as const,
            'lease-extended' as const,
            'progressed' as const,
            'step-waited' as const,
            'handed-over' as const,
            'step-hindered' as const,
            'retreated' as const,
            'undo-refused' as const,
            'put-off' as const,
            'woken' as const,
            'carrier-ended' as const,
            'retried' as const,
          ),
        },
        { weight: mood.trouble, arbitrary: fc.constant('step-failed' as const) },
        { weight: mood.end, arbitrary: fc.constantFrom('abandoned' as const, 'poisoned' as const) },
      ),
      token,
      ms,
      chance,
      fc.boolean(),
      fc.constantFrom(...shape.steps.map((step) => step.name)),
    )
    .map(([kind, whose, took, luck, flag, step]) => (own: number): Fact => {
      const by = { own, old: own - 1, future: own + 1 }[whose];
      const base = { token: by, ms: took, chance: luck };
      switch (kind) {
        case 'admitted':
          return { kind };
        case 'set-back':
          return { kind, code: 'permit', on: 'a permit' };
        case 'claimed':
          return { kind, owner: 'w', leaseMs: 500 };
        case 'lease-extended':
          return { kind, token: by, leaseMs: 500 };
        case 'progressed':
          return { kind, token: by, progress: took, ...(flag ? { forwardOnly: true } : {}) };
        case 'step-finished':
          return { kind, ...base };
        case 'step-waited':
          return { kind, ...base, code: 'c', on: 'o', afterMs: took };
        case 'handed-over':
          return { kind, ...base };
        case 'step-failed':
          return { kind, ...base, failure, fatal: flag };
        case 'step-hindered':
          return { kind, ...base, failure };
        case 'retreated':
          return { kind, ...base, to: step, failure };
        case 'undo-refused':
          return { kind, token: by, step };
        case 'put-off':
          return { kind, code: 'c', on: 'o', until: took };
        case 'woken':
          return { kind, code: 'c', on: 'o' };
        case 'carrier-ended':
          return flag ? { kind } : { kind, failure };
        case 'retried':
          return { kind, note: 'again' };
        case 'poisoned':
          return { kind, phase: flag ? 'transfer' : shape.rollbackPhase, failure };
        case 'abandoned':
          return { kind, failure };
        default:
          return kind satisfies never;
      }
    });

const facts = fc.oneof(factsIn(calm), factsIn(stormy));

const fresh: Execution = {
  workflow: shape.name,
  run: 1,
  token: 100,
  status: { state: 'waiting', waiting: { code: 'permit', on: 'a permit', since: 0 }, dueAt: 0 },
  results: {},
  timings: {},
  last: { fact: 'planned', at: 0, by: 'test' },
};

/** Every state that a story of facts, each some time after the last, passes through. */
function live(
  story: readonly (readonly [(own: number) => Fact, number])[],
): { execution: Execution; now: number }[] {
  const passed = [{ execution: fresh, now: 0 }];
  let now = 0;
  let execution = fresh;
  for (const [factOf, later] of story) {
    now += later;
    const decision = decide(shape, execution, factOf(execution.token), now, 'w');
    if (decision.kind === 'next') execution = decision.execution;
    passed.push({ execution, now });
  }
  return passed;
}

const storiesIn = (mood: Mood): fc.Arbitrary<[(own: number) => Fact, number][]> =>
  fc.array(fc.tuple(factsIn(mood), fc.nat(2_000)), { minLength: 80, maxLength: 160 });
const stories = fc.oneof(storiesIn(calm), storiesIn(stormy));

describe('laws of the state machine', () => {
  test('are tried on stories that pass through every state and every step', () => {
    const states = new Set<string>();
    const steps = new Set<string>();
    fc.assert(
      fc.property(stories, (story) => {
        for (const { execution } of live(story)) {
          states.add(execution.status.state);
          if (execution.status.state === 'running') steps.add(execution.status.step);
        }
      }),
      { numRuns: 1_000 },
    );
    expect([...states].toSorted()).toEqual([
      'completed',
      'rolled-back',
      'rolling-back',
      'running',
      'stuck',
      'waiting',
    ]);
    expect(steps.size).toBe(shape.steps.length);
  });

  test('what has arrived, or has been undone, never changes again; what is stuck only by a person', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let before = fresh;
        for (const { execution } of live(story)) {
          const { state } = before.status;
          const isTriedAgain = state === 'stuck' && execution.last.fact === 'retried';
          if (isTerminal(state) && !isTriedAgain) expect(execution).toBe(before);
          before = execution;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('tokens only grow, and a lease always carries the newest', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let newest = 0;
        for (const { execution } of live(story)) {
          expect(execution.token).toBeGreaterThanOrEqual(newest);
          newest = execution.token;
          const { status } = execution;
          if ('lease' in status) expect(status.lease.token).toBe(execution.token);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the same report twice changes nothing the second time, unless it may be made twice', () => {
    fc.assert(
      fc.property(stories, facts, (story, factOf) => {
        const last = live(story).at(-1);
        if (last === undefined) return;
        const fact = factOf(last.execution.token);
        if (fact.kind === 'lease-extended' || fact.kind === 'progressed') return;
        const once = decide(shape, last.execution, fact, last.now, 'w');
        if (once.kind === 'ignored') return;
        const twice = decide(shape, once.execution, fact, last.now, 'w');
        const sameStep = 'step' in once.execution.status && 'lease' in once.execution.status;
        // A worker that goes on with its next step holds its lease still; a repeat by the queue cannot speak for it.
        if (fact.kind === 'step-finished' && sameStep) return;
        expect(twice.kind).toBe('ignored');
      }),
      { numRuns: 1_000 },
    );
  });

  test('steps go forward one by one, back one by one, and a retreat never passes the pivot', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const passed = live(story);
        for (const [index, { execution }] of passed.entries()) {
          const before = passed[index - 1]?.execution.status;
          const { status } = execution;
          if (before === undefined || !('step' in before) || !('step' in status)) continue;
          const by = stepIndex(shape, status.step) - stepIndex(shape, before.step);
          if (status.state === 'rolling-back' && before.state === 'rolling-back')
            expect([0, -1]).toContain(by);
          if (status.state === 'running' && before.state === 'running') {
            expect(by).toBeLessThanOrEqual(1);
            if (before.forwardOnly) expect(by).toBeGreaterThanOrEqual(0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('what waits again had left nothing anywhere, was held by nobody, and is admitted like any other', () => {
    let waitedAgain = 0;
    fc.assert(
      fc.property(stories, (story) => {
        const passed = live(story);
        for (const [index, { execution, now }] of passed.entries()) {
          const before = passed[index - 1]?.execution;
          if (before === undefined || execution.status.state !== 'waiting') continue;
          if (before.status.state === 'waiting') continue;
          waitedAgain += 1;
          if (before.status.state !== 'running') throw new Error('only what is under way waits again');
          expect(['preflight', 'reserve']).toContain(before.status.step);
          expect(before.status.lease === undefined || before.status.lease.until <= now).toBe(true);
          expect(execution).toMatchObject({ token: before.token, results: {} });
        }
      }),
      { numRuns: 500 },
    );
    expect(waitedAgain).toBeGreaterThan(20);
  });

  test('a rollback undoes the step it met and every one before it, each once, in reverse', () => {
    const names = shape.steps.map(({ name }) => name);
    // A step of the phase after the pivot has no way back.
    const last = stepIndex(shape, 'activate');
    fc.assert(
      fc.property(fc.nat(last), fc.array(facts, { maxLength: 30 }), (finished, disturbances) => {
        let execution = fresh;
        let now = 0;
        const report = (fact: Fact): void => {
          now += 1_000;
          const decision = decide(shape, execution, fact, now, 'w');
          if (decision.kind === 'next') execution = decision.execution;
        };
        const claim = (): void => {
          // Later than any lease or back-off.
          now += 3_600_000;
          report({ kind: 'claimed', owner: 'w', leaseMs: 500 });
        };
        report({ kind: 'admitted' });
        for (let step = 0; step < finished; step += 1) {
          claim();
          report({ kind: 'step-finished', token: execution.token, ms: 1 });
        }
        report({ kind: 'abandoned', failure });
        const undone: string[] = [];
        const noise = [...disturbances];
        while (execution.status.state === 'rolling-back') {
          claim();
          // Somebody else's reports, late and of older workers, change nothing of it.
          const disturbance = noise.pop()?.(execution.token - 1);
          if (disturbance !== undefined && 'token' in disturbance) {
            report({ ...disturbance, token: execution.token - 1 });
          }
          undone.push(execution.status.step);
          report({ kind: 'step-finished', token: execution.token, ms: 1 });
        }
        expect(execution.status).toMatchObject({ state: 'rolled-back', reason: failure });
        expect(undone).toEqual(names.slice(0, finished + 1).reverse());
      }),
      { numRuns: 500 },
    );
  });
});
