import { describe, expect, test } from '@jest/globals';
import { decide, type Decision } from '../../shared/domain/decide.ts';
import type { Execution, ExecutionState, StateName } from '../../shared/domain/execution.ts';
import type { Fact, FactKind, FactOf } from '../../shared/domain/fact.ts';
import { moveEndpointShape as shape } from '../../shared/domain/workflow-shape.ts';

const now = 1_000_000;
const failure = { code: 'copy-stopped', sentence: 'the copy stopped', cure: 'look at the host' };
const lease = { owner: 'worker-1', token: 7, until: now + 30_000 };
const working = {
  step: 'copy',
  failures: 0,
  idleHandovers: 0,
  deaths: 0,
  dueAt: now,
  spentMs: 5,
  lease,
} as const;

const states: { readonly [N in StateName]: Extract<ExecutionState, { readonly state: N }> } = {
  waiting: { state: 'waiting', waiting: { code: 'permit', on: 'a permit', since: now }, dueAt: now },
  running: { state: 'running', ...working, forwardOnly: false, retreats: 0 },
  'rolling-back': { state: 'rolling-back', ...working, reason: failure },
  completed: { state: 'completed', endedAt: now },
  'rolled-back': { state: 'rolled-back', endedAt: now, reason: failure },
  stuck: { state: 'stuck', endedAt: now, step: 'copy', direction: 'back', reason: failure },
};

const token = 7;
const ms = 3;
const facts: { readonly [K in FactKind]: FactOf<K> } = {
  admitted: { kind: 'admitted' },
  'set-back': { kind: 'set-back', code: 'permit', on: 'a permit' },
  claimed: { kind: 'claimed', owner: 'worker-2', leaseMs: 30_000 },
  'lease-extended': { kind: 'lease-extended', token, leaseMs: 30_000 },
  progressed: { kind: 'progressed', token, progress: 1 },
  'step-finished': { kind: 'step-finished', token, ms, result: { rows: 3 } },
  'step-waited': { kind: 'step-waited', token, code: 'syncing', on: 'the copy', afterMs: 1_000, ms },
  'handed-over': { kind: 'handed-over', token, ms, progress: 2 },
  'step-failed': { kind: 'step-failed', token, ms, failure, fatal: false, chance: 0.5 },
  'step-hindered': { kind: 'step-hindered', token, ms, failure, chance: 0.5 },
  retreated: { kind: 'retreated', token, ms, to: 'provision', failure, chance: 0.5 },
  'undo-refused': { kind: 'undo-refused', token, step: 'activate' },
  poisoned: { kind: 'poisoned', phase: 'transfer', failure },
  'put-off': { kind: 'put-off', code: 'paused', on: 'a word', until: now + 5_000 },
  woken: { kind: 'woken', code: 'permit', on: 'a permit' },
  'carrier-ended': { kind: 'carrier-ended' },
  retried: { kind: 'retried', note: 'put right' },
  abandoned: { kind: 'abandoned', failure },
};

/** The table as people read it: what each fact makes of each state. */
const table: { readonly [N in StateName]: { readonly [K in FactKind]: string } } = {
  waiting: {
    admitted: 'running preflight',
    'set-back': 'not-admitted',
    claimed: 'not-admitted',
    'lease-extended': 'not-admitted',
    progressed: 'not-admitted',
    'step-finished': 'not-admitted',
    'step-waited': 'not-admitted',
    'handed-over': 'not-admitted',
    'step-failed': 'not-admitted',
    'step-hindered': 'not-admitted',
    retreated: 'not-admitted',
    'undo-refused': 'not-admitted',
    'put-off': 'waiting',
    woken: 'not-applicable',
    'carrier-ended': 'not-applicable',
    retried: 'not-applicable',
    poisoned: 'rolling-back preflight',
    abandoned: 'rolling-back preflight',
  },
  running: {
    admitted: 'already-admitted',
    'set-back': 'not-applicable',
    claimed: 'held',
    'lease-extended': 'running copy',
    progressed: 'running copy',
    'step-finished': 'running catch-up',
    'step-waited': 'running copy',
    'handed-over': 'running copy',
    'step-failed': 'running copy',
    'step-hindered': 'running copy',
    retreated: 'running provision',
    'undo-refused': 'not-applicable',
    'put-off': 'already-admitted',
    woken: 'not-applicable',
    'carrier-ended': 'not-applicable',
    retried: 'not-applicable',
    poisoned: 'rolling-back copy',
    abandoned: 'rolling-back copy',
  },
  'rolling-back': {
    admitted: 'already-admitted',
    'set-back': 'not-applicable',
    claimed: 'held',
    'lease-extended': 'rolling-back copy',
    progressed: 'rolling-back copy',
    'step-finished': 'rolling-back provision',
    'step-waited': 'rolling-back copy',
    'handed-over': 'rolling-back copy',
    'step-failed': 'rolling-back copy',
    'step-hindered': 'rolling-back copy',
    retreated: 'not-applicable',
    'undo-refused': 'running activate',
    poisoned: 'not-applicable',
    'put-off': 'already-admitted',
    woken: 'not-applicable',
    'carrier-ended': 'not-applicable',
    retried: 'not-applicable',
    abandoned: 'not-applicable',
  },
  completed: ended(),
  'rolled-back': ended(),
  stuck: { ...ended(), retried: 'rolling-back copy' },
};

function ended(): { readonly [K in FactKind]: string } {
  return {
    admitted: 'ended',
    'set-back': 'ended',
    claimed: 'ended',
    'lease-extended': 'ended',
    progressed: 'ended',
    'step-finished': 'ended',
    'step-waited': 'ended',
    'handed-over': 'ended',
    'step-failed': 'ended',
    'step-hindered': 'ended',
    retreated: 'ended',
    'undo-refused': 'ended',
    'put-off': 'ended',
    woken: 'ended',
    'carrier-ended': 'ended',
    retried: 'ended',
    poisoned: 'ended',
    abandoned: 'ended',
  };
}

function execution(status: ExecutionState, more: Partial<Execution> = {}): Execution {
  return {
    workflow: 'move-endpoint',
    run: 1,
    token,
    status,
    results: {},
    timings: {},
    last: { fact: 'planned', at: 0, by: 'test' },
    ...more,
  };
}

function say(decision: Decision): string {
  if (decision.kind === 'ignored') return decision.why;
  const { status } = decision.execution;
  return 'step' in status ? `${status.state} ${status.step}` : status.state;
}

function next(status: ExecutionState, fact: Fact, at = now): Execution {
  const decision = decide(shape, execution(status), fact, at, 'worker-1');
  if (decision.kind === 'ignored') throw new Error(`ignored: ${decision.why}`);
  return decision.execution;
}

describe('the transition table', () => {
  for (const status of Object.values(states)) {
    for (const fact of Object.values(facts)) {
      const expected = table[status.state][fact.kind];
      test(`${status.state} + ${fact.kind} → ${expected}`, () => {
        expect(say(decide(shape, execution(status), fact, now, 'worker-1'))).toBe(expected);
      });
    }
  }
});

describe('leases', () => {
  test('a worker that was taken over can report nothing any more', () => {
    const taken = next(states.running, { kind: 'claimed', owner: 'worker-2', leaseMs: 1_000 }, lease.until);
    expect(taken.token).toBe(8);
    for (const fact of Object.values(facts)) {
      if (!('token' in fact) || fact.kind === 'undo-refused') continue;
      expect(say(decide(shape, taken, fact, lease.until, 'worker-1'))).toBe('superseded');
    }
  });

  test('work whose time has not come cannot be claimed', () => {
    const { lease: _, ...unheld } = states.running;
    const decision = decide(shape, execution({ ...unheld, dueAt: now + 1 }), facts.claimed, now, 'w');
    expect(say(decision)).toBe('early');
  });

  test('a step that kills its workers one after another is given up', () => {
    const killed = { ...states.running, deaths: shape.limits.deaths };
    const { status } = next(killed, facts.claimed, lease.until);
    expect(status).toMatchObject({
      state: 'rolling-back',
      step: 'copy',
      reason: { code: 'worker-died-repeatedly' },
    });
  });

  test('a dead worker charges the step no attempt', () => {
    const { status } = next(states.running, facts.claimed, lease.until);
    expect(status).toMatchObject({ failures: 0, deaths: 1 });
  });
});

describe('failures', () => {
  test('the third failure of a step rolls back, with its reason', () => {
    const { status } = next({ ...states.running, failures: 2 }, facts['step-failed']);
    expect(status).toMatchObject({ state: 'rolling-back', step: 'copy', reason: failure });
  });

  test('what would fail in the same way again is quarantined; a host that is down, or a person, quarantines nothing', () => {
    const reasonOf = (from: ExecutionState, fact: Fact): unknown => {
      const { status } = next(from, fact);
      return 'reason' in status ? status.reason : undefined;
    };
    const last = { ...states.running, failures: 2 };
    const patient = { ...states.running, hinderedSince: now - shape.limits.patienceMs };
    const quarantined = { ...failure, quarantined: true };
    expect(reasonOf(last, facts['step-failed'])).toEqual(quarantined);
    expect(reasonOf(states.running, { ...facts['step-failed'], fatal: true })).toEqual(quarantined);
    expect(reasonOf(states.waiting, facts.poisoned)).toEqual(quarantined);
    expect(reasonOf(patient, facts['step-hindered'])).toEqual(failure);
    expect(reasonOf(states.running, facts.abandoned)).toEqual(failure);
  });

  test('a failure that cannot pass by itself rolls back at once', () => {
    const { status } = next(states.running, { ...facts['step-failed'], fatal: true });
    expect(status.state).toBe('rolling-back');
  });

  test('past the pivot even such a failure is tried again, and ends stuck, never rolled back', () => {
    const forward = { ...states.running, step: 'activate', forwardOnly: true };
    expect(next(forward, { ...facts['step-failed'], fatal: true }).status.state).toBe('running');
    const last = { ...forward, failures: shape.limits.forwardAttempts - 1 };
    expect(next(last, facts['step-failed']).status).toMatchObject({ state: 'stuck', direction: 'forward' });
  });

  test('what can only go forward is not abandoned any more', () => {
    const forward = { ...states.running, step: 'activate', forwardOnly: true };
    expect(say(decide(shape, execution(forward), facts.abandoned, now, 'operator'))).toBe('past-the-pivot');
  });

  test('a message of the way back that fails again and again calls a person', () => {
    const { status } = next(states['rolling-back'], { ...facts.poisoned, phase: shape.rollbackPhase });
    expect(status).toMatchObject({ state: 'stuck', direction: 'back', reason: { quarantined: true } });
  });

  test('an undo that fails three times is stuck', () => {
    const { status } = next({ ...states['rolling-back'], failures: 2 }, facts['step-failed']);
    expect(status).toMatchObject({ state: 'stuck', direction: 'back', step: 'copy' });
  });

  test('back-off grows, is spread, and never passes its cap', () => {
    const due = (failures: number, chance: number): number => {
      const { status } = next(
        { ...states.running, forwardOnly: true, failures },
        { ...facts['step-failed'], chance },
      );
      return 'dueAt' in status ? status.dueAt - now : 0;
    };
    expect([due(0, 0), due(1, 0), due(2, 0)]).toEqual([500, 1_000, 2_000]);
    expect(due(0, 0.999)).toBeGreaterThan(due(0, 0));
    expect(due(8, 0.999)).toBeLessThanOrEqual(shape.limits.backoffCapMs);
  });

  test('a host that is down charges no attempt, until patience ends', () => {
    const hindered = next(states.running, facts['step-hindered']);
    expect(hindered.status).toMatchObject({
      failures: 0,
      hinderedSince: now,
      waiting: { code: failure.code },
    });
    const since = { ...states.running, hinderedSince: now - shape.limits.patienceMs };
    expect(next(since, facts['step-hindered']).status.state).toBe('rolling-back');
    expect(next({ ...since, forwardOnly: true }, facts['step-hindered']).status.state).toBe('running');
  });
});

describe('going on', () => {
  test('a step that ends a phase lets go of the lease and sends the next phase', () => {
    const decision = decide(
      shape,
      execution({ ...states.running, step: 'verify' }),
      facts['step-finished'],
      now,
      'w',
    );
    expect(decision).toMatchObject({
      kind: 'next',
      effects: [{ kind: 'send-work', phase: 'cutover', afterMs: 0 }],
      execution: { status: { step: 'freeze' }, timings: { verify: 8 }, results: { verify: { rows: 3 } } },
    });
    expect(decision.kind === 'next' && 'lease' in decision.execution.status).toBe(false);
  });

  test('hand-overs without progress are counted, with progress they are not', () => {
    const stood = { ...states.running, progress: 2, idleHandovers: shape.limits.idleHandovers };
    expect(next(stood, facts['handed-over']).status).toMatchObject({ reason: { code: 'no-progress' } });
    expect(next({ ...stood, progress: 1 }, facts['handed-over']).status).toMatchObject({ idleHandovers: 0 });
  });

  test('a retreat goes only backwards, a bounded number of times, never past the pivot', () => {
    const forward = { ...facts.retreated, to: 'verify' };
    expect(say(decide(shape, execution(states.running), forward, now, 'w'))).toBe('not-applicable');
    const open = { ...states.running, forwardOnly: true };
    expect(say(decide(shape, execution(open), facts.retreated, now, 'w'))).toBe('not-applicable');
    const last = { ...states.running, retreats: shape.limits.retreats };
    expect(next(last, facts.retreated).status.state).toBe('rolling-back');
  });
});

describe('what waits for a word', () => {
  const putOff = facts['put-off'];

  test('is put off until a time, and says since when', () => {
    const first = next(states.waiting, putOff);
    expect(first.status).toEqual({
      state: 'waiting',
      waiting: { code: 'paused', on: 'a word', since: now },
      dueAt: now + 5_000,
      putOff: true,
    });
    const later = next(first.status, { ...putOff, until: now + 9_000 }, now + 1_000);
    expect(later.status).toMatchObject({ waiting: { since: now }, dueAt: now + 9_000 });
    const woken = next(later.status, facts.woken, now + 2_000);
    expect(woken.status).toEqual({
      state: 'waiting',
      waiting: { code: 'permit', on: 'a permit', since: now + 2_000 },
      dueAt: now + 2_000,
    });
  });

  test('is looked at now when it is woken, but not what a worker holds', () => {
    const { lease: _, ...free } = working;
    const waiting = { code: 'paused', on: 'a word', since: now };
    const waits = {
      state: 'running',
      ...free,
      dueAt: now + 5_000,
      waiting,
      forwardOnly: false,
      retreats: 0,
    } as const;
    const woken = decide(shape, execution(waits), { ...facts.woken, note: 'resume: done' }, now, 'ops');
    expect(woken).toMatchObject({
      execution: {
        status: { dueAt: now, waiting },
        last: { fact: 'woken', by: 'ops', note: 'resume: done' },
      },
      effects: [{ kind: 'send-work', phase: 'transfer', afterMs: 0 }],
    });
    expect(decide(shape, execution({ ...waits, lease }), facts.woken, now, 'ops')).toEqual({
      kind: 'ignored',
      why: 'not-applicable',
    });
  });

  test('what is stuck on its way back goes on for the reason for which it went back', () => {
    const rollingBack = { state: 'rolling-back', ...working, failures: 2, reason: failure } as const;
    const trouble = { code: 'disk-full', sentence: 'the disk is full', cure: 'make room' };
    const failed = { ...facts['step-failed'], failure: trouble };
    const stuck = next(rollingBack, failed);
    expect(stuck.status).toMatchObject({ state: 'stuck', reason: trouble, undoing: failure });
    const again = next(stuck.status, facts.retried);
    expect(again.status).toMatchObject({ state: 'rolling-back', step: 'copy', failures: 0, reason: failure });
  });
});
