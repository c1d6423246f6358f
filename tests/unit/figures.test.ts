import { describe, expect, jest, test } from '@jest/globals';
import { StepFailure } from '../../shared/domain/failure.ts';
import type { Move } from '../../shared/domain/move.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { hostName } from '../../shared/domain/ids.ts';
import type { Measured } from '../../shared/ports/meter.ts';
import { createMeter } from '../../shared/runtime/meter.ts';
import { noteTurns } from '../../shared/workflow/move-figures.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import type { Services } from '../../shared/workflow/services.ts';
import { EngineBench } from '../support/engine-bench.ts';
import { MoveBench } from '../support/move-bench.ts';
import { failure, moveOf, states } from '../support/sample-batch.ts';

const work = { kind: 'work', task: 'e1', phase: 'out' } as const;
const done = { run: () => Promise.resolve({ kind: 'done' as const }) };
const undoable = { ...done, undo: () => Promise.resolve({ kind: 'done' as const }) };

type Noted = readonly unknown[];
const named = (noted: readonly Noted[], metric: string): Noted[] =>
  noted.filter(([each]) => each === metric).map(([, ...rest]) => rest);

/** Services whose figures are kept. */
function metered(services: Services): { readonly services: Services; readonly noted: Noted[] } {
  const noted: Noted[] = [];
  const meter = { note: (...told: readonly unknown[]) => void noted.push(told) };
  return { services: { ...services, meter }, noted };
}

const soon = { remainingMs: () => 60_000 };

describe('figures of the engine', () => {
  test('tell how long each call of a step took, and how it ended', async () => {
    let tries = 0;
    const bench = new EngineBench({
      fetch: {
        run: () => {
          bench.clock.pass(40);
          return Promise.resolve({ kind: 'done' });
        },
      },
      carry: {
        ...undoable,
        run: () => {
          tries += 1;
          bench.clock.pass(7);
          if (tries === 1) return Promise.reject(new StepFailure(failure, 'retry'));
          if (tries === 2) return Promise.reject(new StepFailure(failure, 'host-down'));
          if (tries === 3) return Promise.resolve({ kind: 'continue', progress: 1 });
          return Promise.resolve(
            tries === 4 ? { kind: 'wait', code: 'rain', on: 'the rain', afterMs: 9_000 } : { kind: 'done' },
          );
        },
      },
      'hand-in': done,
    });
    await bench.invoke(work);
    await bench.deliver();
    const step = (name: string, outcome: string, ms: number): Noted => [
      ms,
      { workflow: 'errand', step: name, outcome },
    ];
    expect(named(bench.noted, 'StepMs')).toEqual([
      step('fetch', 'done', 40),
      step('carry', 'retried', 7),
      step('carry', 'hindered', 7),
      step('carry', 'handed-over', 7),
      step('carry', 'waited', 7),
      step('carry', 'done', 7),
      step('hand-in', 'done', 0),
    ]);
  });

  test('tell of what is given up, and of the way back', async () => {
    const bench = new EngineBench({
      fetch: undoable,
      carry: { ...undoable, run: () => Promise.reject(new StepFailure(failure, 'fail')) },
      'hand-in': done,
    });
    await bench.invoke(work);
    await bench.deliver();
    expect(named(bench.noted, 'StepMs').map(([, of]) => of)).toEqual([
      { workflow: 'errand', step: 'fetch', outcome: 'done' },
      { workflow: 'errand', step: 'carry', outcome: 'gave-up' },
      { workflow: 'errand', step: 'carry', outcome: 'undone' },
      { workflow: 'errand', step: 'fetch', outcome: 'undone' },
    ]);
  });

  test('tell how long work lay about until a worker came, and whom it took over from', async () => {
    const bench = new EngineBench({ fetch: done, carry: done, 'hand-in': done });
    bench.clock.pass(1_500);
    bench.beforeCommit = (after) => {
      if (after.execution.last.fact === 'step-finished') throw new Error('killed');
    };
    await expect(bench.invoke(work)).rejects.toThrow('killed');
    bench.beforeCommit = () => undefined;
    expect(bench.noted).toEqual([['QueueWaitMs', 1_500, { phase: 'out' }, {}]]);
    bench.clock.pass(3_001);
    await bench.invoke(work);
    expect(bench.noted.at(1)).toEqual(['TakeOvers', 1, { phase: 'out' }, {}]);
  });
});

test('what the engine logs says which work it is about, in which step and attempt', async () => {
  let tries = 0;
  const bench = new EngineBench({
    fetch: done,
    carry: {
      ...done,
      run: (_, hand) => {
        tries += 1;
        hand.log.info('on its way', { nth: tries });
        return tries < 3
          ? Promise.reject(new StepFailure(failure, 'retry'))
          : Promise.resolve({ kind: 'done' });
      },
    },
    'hand-in': done,
  });
  await bench.invoke(work);
  await bench.deliver();
  const about = { errand: 'e1', run: 1, state: 'running', step: 'carry' };
  expect(bench.logged).toEqual([
    { message: 'on its way', fields: { ...about, token: 1, attempt: 1, nth: 1 } },
    {
      message: 'step failed',
      fields: { ...about, token: 1, attempt: 1, ms: 0, error: expect.any(StepFailure) },
    },
    { message: 'on its way', fields: { ...about, token: 2, attempt: 2, nth: 2 } },
    {
      message: 'step failed',
      fields: { ...about, token: 2, attempt: 2, ms: 0, error: expect.any(StepFailure) },
    },
    { message: 'on its way', fields: { ...about, token: 3, attempt: 3, nth: 3 } },
  ]);
});

test('what is logged about a move names the move, its batch and its endpoint', async () => {
  const bench = new MoveBench();
  const move = await bench.begin();
  const logged: unknown[] = [];
  const hear = (message: string, fields: unknown): void => void logged.push([message, fields]);
  Object.assign(bench.services, { log: { info: hear, warn: hear, error: hear } });
  bench.beforeCall = (call) => {
    if (call === 'copy') throw new StepFailure(failure, 'fail');
  };
  await bench.deliver(({ execution }) => execution.status.state === 'rolling-back');
  expect(logged).toMatchObject([
    ['step failed', { move: move.id, batch: move.batch, endpoint: 'shop', step: 'copy', attempt: 1 }],
  ]);
});

describe('figures of moves', () => {
  const quarantined: Move['execution']['status'] = {
    ...moveOf(1, 'shop', states.rolledBack).execution.status,
    state: 'rolled-back',
    endedAt: 1,
    reason: { ...failure, quarantined: true },
  };

  test.each<[string, Move['execution']['status'], Move['execution']['status'], Noted[]]>([
    ['turns round', states.running('copy'), states.rollingBack('copy'), [['RollbacksBegun', 1]]],
    [
      'arrives',
      states.running('activate'),
      states.running('retire'),
      [['MovesEnded', 1, { outcome: 'moved' }]],
    ],
    ['goes on', states.running('copy'), states.running('verify'), []],
    [
      'is back',
      states.rollingBack('reserve'),
      states.rolledBack,
      [['MovesEnded', 1, { outcome: 'rolled-back' }]],
    ],
    [
      'is set aside',
      states.rollingBack('reserve'),
      quarantined,
      [
        ['MovesEnded', 1, { outcome: 'rolled-back' }],
        ['MovesQuarantined', 1],
      ],
    ],
    ['was set aside', quarantined, quarantined, []],
  ])('are counted when one %s', (_, from, to, expected) => {
    const noted: Noted[] = [];
    const meter = { note: (...told: readonly unknown[]) => void noted.push(told) };
    noteTurns(meter, [{ before: moveOf(1, 'shop', from), after: moveOf(1, 'shop', to) }]);
    expect(noted).toEqual(expected);
  });

  test('are those of moves, not of what is joined to them', () => {
    const noted: Noted[] = [];
    const meter = { note: (...told: readonly unknown[]) => void noted.push(told) };
    const carrier = moveOf(2, 'shop', states.waiting);
    const after = {
      ...moveOf(1, 'shop', states.rolledBack),
      joined: { move: carrier.id, batch: carrier.batch },
    };
    noteTurns(meter, [{ before: moveOf(1, 'shop', states.waiting), after }]);
    expect(noted).toEqual([]);
  });

  test('tell of a pause in all and by host, and whether it was longer than was allowed', async () => {
    for (const [budgetMs, over] of [
      [60_000, []],
      [0, [[1]]],
    ] as const) {
      const bench = new MoveBench();
      await bench.begin();
      const { services, noted } = metered(bench.services);
      Object.assign(bench.services, services);
      bench.beforeCall = (call) => {
        if (call !== 'fence') return;
        bench.clock.pass(40);
      };
      await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'freeze');
      const move = await bench.move();
      await bench.services.store.commit('move', move, {
        ...move,
        policy: { ...move.policy, pauseBudgetMs: budgetMs === 0 ? 30 : budgetMs },
      });
      await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'retire');
      const [[pauseMs, ...of] = []] = named(noted, 'WriterPauseMs');
      expect(pauseMs).toBeGreaterThanOrEqual(40);
      expect(of).toEqual([{ host: 'b' }, {}]);
      expect(named(noted, 'PausesOverBudget')).toEqual(over);
    }
  });
});

test('of a pause are not told by whoever finds an endpoint open, and does not know since when', async () => {
  const bench = new MoveBench();
  const { id } = await bench.begin();
  const { services, noted } = metered(bench.services);
  Object.assign(bench.services, services);
  const { store } = bench.services;
  const commit = store.commit.bind(store);
  let isKilled = false;
  Object.assign(store, {
    commit: async (...of: Parameters<typeof commit>) => {
      const [kind, , after] = of;
      const status = kind === 'move' && 'execution' in after ? after.execution.status : undefined;
      const isNote = status?.state === 'running' && status.step === 'activate' && status.forwardOnly;
      if (isNote && !isKilled) {
        isKilled = true;
        bench.clock.pass(3_600_000);
        throw new StoreUnavailable('killed');
      }
      return commit(...of);
    },
  });
  const arrive = async () =>
    await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'retire');
  await expect(arrive()).rejects.toThrow('killed');
  await bench.bus.sendWork({ kind: 'work', task: id, phase: 'cutover' }, 0);
  await arrive();
  expect((await bench.move()).execution.results).toHaveProperty('activate');
  expect(named(noted, 'WriterPauseMs')).toEqual([]);
  expect(named(noted, 'PausesOverBudget')).toEqual([]);
});

describe('figures of the sweeps', () => {
  test('tell that it came to its end, how hosts are, and which permits are in use', async () => {
    const bench = new MoveBench();
    const { services, noted } = metered(bench.services);
    const signal = { kind: 'failed', since: 1, at: 1 } as const;
    await bench.addHost('a', { movesOut: 3, movesIn: 2 });
    await bench.addHost('b', { movesOut: 1, movesIn: 1, signals: { disk: signal } });
    await bench.addHost('c', { movesOut: 1, movesIn: 1, signals: { lag: { ...signal, kind: 'strained' } } });
    const move = moveOf(1, 'shop', states.running('copy'));
    await services.store.insert('move', move);
    await services.permits.take(hostName('a'), 'out', move.id, 3);
    await sweepRows(services, soon);
    const byState = (metric: string): Record<string, unknown> =>
      Object.fromEntries(named(noted, metric).map(([value, of]) => [Object.values(of ?? {}).join(), value]));
    expect(byState('Hosts')).toEqual({ active: 1, cordoned: 0, draining: 0, strained: 1, failed: 1 });
    expect(byState('Permits')).toEqual({ out: 5, in: 4 });
    expect(byState('PermitsInUse')).toEqual({ out: 1, in: 0 });
    expect(named(noted, 'SweepRuns')).toEqual([[1, { sweep: 'rows' }]]);
  });

  test('tell for how long nobody has taken notice of a move that was due', async () => {
    const bench = new MoveBench();
    const { services, noted } = metered(bench.services);
    await bench.begin();
    await sweepRows(services, soon);
    expect(named(noted, 'LongestSilenceMs')).toEqual([[0]]);
    bench.clock.pass(700_000);
    await sweepRows(services, soon);
    expect(named(noted, 'LongestSilenceMs')).toEqual([[0], [700_000]]);
    expect(named(noted, 'RowsSwept')).toEqual([[0], [1]]);
    await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'copy');
    await sweepRows(services, soon);
    expect(named(noted, 'LongestSilenceMs').at(-1)).toEqual([0]);
  });

  test('do not take a retirement that waits behind others for silence', async () => {
    const bench = new MoveBench();
    const { services, noted } = metered(bench.services);
    await bench.begin();
    await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'retire');
    bench.bus.sent.splice(0);
    const { execution } = await bench.move();
    if (execution.status.state !== 'running') throw new Error('it is over');
    bench.clock.pass(execution.status.dueAt + 700_000 - bench.clock.now());
    await sweepRows(services, soon);
    expect(named(noted, 'LongestSilenceMs')).toEqual([[0]]);
    expect(bench.bus.sent.map(({ queue }) => queue)).toContain('retire');
  });

  test('tell how much of its log a host keeps for a slot of ours, by its name only where there is some', async () => {
    const bench = new MoveBench();
    const { services, noted } = metered(bench.services);
    await bench.addHost('a');
    const driver = await services.driver('simulated');
    const move = moveOf(1, 'shop', states.running('copy'));
    await services.store.insert('move', move);
    const slot = (bytes: number) => ({
      move: move.id,
      run: 1,
      item: { key: 'slot:s', kind: 'slot', name: 's', systemIdentifier: 'a' },
      retainedBytes: bytes,
    });
    for (const found of [[slot(5), slot(9_000)], []]) {
      const holding = { ...driver, findResidue: () => Promise.resolve(found) };
      await sweepHost({ ...services, driver: () => Promise.resolve(holding) }, hostName('a'));
    }
    const all: Measured = {};
    expect(named(noted, 'RetainedWalBytes')).toEqual([
      [9_000, { host: 'a' }, all],
      [0, all],
    ]);
    expect(named(noted, 'SweepRuns')).toEqual([
      [1, { sweep: 'host' }],
      [1, { sweep: 'host' }],
    ]);
  });
});

test('what a move writes of its figures is bounded: it is paid for by its length', async () => {
  const bench = new MoveBench();
  const meter = createMeter('test', { now: Date.now });
  Object.assign(bench.services, { meter });
  await bench.begin();
  let said = '';
  const hear = (text: unknown): boolean => {
    said += `${String(text)}\n`;
    return true;
  };
  const write = jest.spyOn(process.stdout, 'write').mockImplementation(hear);
  const log = jest.spyOn(console, 'log').mockImplementation(hear);
  // Before each message whatever the one before it has left is written, as at the end of an invocation.
  await bench.deliver(({ execution: { status } }) => {
    meter.flush();
    return 'step' in status && status.step === 'retire';
  });
  write.mockRestore();
  log.mockRestore();
  const lines = said.split('\n').filter((line) => line.includes('"_aws"'));
  process.stdout.write(`${String(lines.length)} lines, ${String(said.length)} bytes of figures a move\n`);
  expect(lines.length).toBeGreaterThan(11);
  expect(said.length).toBeLessThan(6_000);
});
