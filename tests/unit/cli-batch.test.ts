import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { etaReport } from '../../cli/batch-eta.ts';
import { hasAllMoved, percentile, reportOf } from '../../cli/batch-report.ts';
import type { BatchSnapshot } from '../../shared/workflow/explain/batch-snapshot.ts';
import { shareDone, stepNumber } from '../../cli/move-line.ts';
import { frameOf, renderBatch, summaryOf } from '../../cli/render-batch.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { paint, widthOf, type Text } from '../../cli/text.ts';
import { hostName } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { moveId } from '../../shared/domain/ids.ts';
import { Captured } from '../support/captured-terminal.ts';
import { arrived, batchOf, began, failure, hostOf, moveOf, states } from '../support/sample-batch.ts';

const retiring = states.running('retire');
const mixed: readonly Move[] = [
  moveOf(1, 'billing', states.waiting),
  moveOf(2, 'crm', states.running('copy', { value: { bytes: 50, totalBytes: 100 } })),
  moveOf(3, 'mail', states.rolledBack),
  moveOf(4, 'shop', retiring, { results: arrived(92, 300_000_000) }),
  moveOf(5, 'wiki', states.completed, { results: arrived(180, 12_000_000) }),
  moveOf(6, 'zoo', states.stuck),
];
const snapshot: BatchSnapshot = { at: began + 42_000, batch: batchOf({ total: 6 }), moves: mixed };
const text = (lines: readonly Text[]): string[] => lines.map((line) => paint(line, false));

describe('the report of a batch', () => {
  it('has the documented shape', () => {
    expect(reportOf(snapshot)).toEqual({
      batch: 'bt_0123456789abcdef0123',
      state: 'running',
      reason: 'disk is failing',
      moves: { total: 6, moved: 2, rolledBack: 1, stuck: 1 },
      pauseMs: { p50: 92, p99: 180, max: 180 },
      bytes: 312_000_000,
      seconds: 42,
      endpoints: [
        { endpoint: 'billing', from: 'a', to: 'b', state: 'waiting', step: null, pauseMs: null },
        { endpoint: 'crm', from: 'a', to: 'b', state: 'transferring', step: 'copy', pauseMs: null },
        {
          endpoint: 'mail',
          from: 'a',
          to: 'b',
          state: 'rolled-back',
          step: null,
          pauseMs: null,
          reason: `no-space: ${failure.sentence}`,
        },
        { endpoint: 'shop', from: 'a', to: 'b', state: 'moved', step: 'retire', pauseMs: 92 },
        { endpoint: 'wiki', from: 'a', to: 'b', state: 'retired', step: null, pauseMs: 180 },
        {
          endpoint: 'zoo',
          from: 'a',
          to: 'b',
          state: 'stuck',
          step: 'freeze',
          pauseMs: null,
          reason: `no-space: ${failure.sentence}`,
        },
      ],
    });
  });

  it('has no pauses before anything has arrived', () => {
    const report = reportOf({ ...snapshot, moves: mixed.slice(0, 1) });
    expect(report.pauseMs).toEqual({ p50: null, p99: null, max: null });
  });

  it('counts as moved only a completed batch in which everything has arrived', () => {
    const good = mixed.slice(3, 5);
    const completed = batchOf({ state: 'completed', total: 2 });
    expect(hasAllMoved({ ...snapshot, batch: completed, moves: good })).toBe(true);
    expect(hasAllMoved({ ...snapshot, batch: batchOf({ total: 2 }), moves: good })).toBe(false);
    expect(hasAllMoved({ ...snapshot, batch: batchOf({ state: 'completed', total: 3 }), moves: good })).toBe(
      false,
    );
    for (const bad of [0, 1, 2, 5]) {
      expect(
        hasAllMoved({ ...snapshot, batch: completed, moves: [...good, ...mixed.slice(bad, bad + 1)] }),
      ).toBe(false);
    }
    const unknown = batchOf({ state: 'completed', total: 2, unknown: { count: 1, examples: [] } });
    expect(hasAllMoved({ ...snapshot, batch: unknown, moves: good })).toBe(false);
  });

  it('takes percentiles by the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([
      percentile(hundred, 0.5),
      percentile(hundred, 0.99),
      percentile([7], 0.99),
      percentile([], 0.5),
    ]).toEqual([50, 99, 7, null]);
  });
});

describe('the picture of a batch', () => {
  it('shows a line for each move, what is in the way, and totals', () => {
    const frame = text(frameOf(snapshot, { columns: 100, rows: 24 }));
    expect(frame).toHaveLength(1 + 6 + 2 + 1);
    expect(frame[0]).toBe('batch bt_0123456789abcdef0123  disk is failing');
    expect(frame[1]).toMatch(/^· billing {2}a → b {2}0\/12 waiting +░{20} {2}for a permit/);
    expect(frame[2]).toMatch(/^▸ crm {6}a → b {2}4\/12 copy +█{8}░{12}$/);
    expect(frame[4]).toMatch(/^✓ shop {5}a → b 12\/12 moved +█{20} {2}writers paused 92 ms$/);
    expect(frame[6]).toMatch(/^! zoo .* 7\/12 stuck in freeze/);
    expect(frame[7]).toBe('  ✗ 2 not moved: b has too little room (no-space)');
    expect(frame[8]).toBe('  … 1 waits for permits on a and b');
    expect(frame[9]).toBe('2 of 6 moved · 1 under way · 1 waiting · 1 rolled back · 1 stuck · 312 MB · 0:42');
  });

  it('tells when the rest will have arrived, once something has, and of that which can go on', () => {
    const timed: BatchSnapshot = {
      ...snapshot,
      moves: snapshot.moves.map((move) => ({
        ...move,
        execution: { ...move.execution, timings: { copy: 30_000, verify: 30_000, retire: 3_600_000 } },
      })),
    };
    const totals = text(frameOf(timed, { columns: 160, rows: 24 })).at(-1);
    expect(totals).toMatch(/ · about (?:5\d\.\d s|1 min.*) left \(.* to .*\)$/);
    expect(etaReport(timed)).toMatchObject({ seconds: expect.any(Number) });
    const held: BatchSnapshot = {
      ...timed,
      moves: timed.moves.map((move) => {
        const { status } = move.execution;
        if (status.state !== 'waiting' && status.state !== 'running') return move;
        const waiting = { code: 'paused', on: 'the batch is paused', since: 0 };
        return { ...move, execution: { ...move.execution, status: { ...status, waiting } } };
      }),
    };
    expect(etaReport(held)).toBeNull();
  });

  it.each([
    [200, 50],
    [80, 24],
    [60, 12],
    [40, 8],
    [20, 5],
    [8, 3],
  ])('fits a terminal of %i columns and %i rows', (columns, rows) => {
    const many = Array.from({ length: 300 }, (_, nth) =>
      moveOf(nth, `tenant-${String(nth)}`, states.waiting),
    );
    for (const moves of [mixed, many]) {
      const frame = frameOf({ ...snapshot, moves }, { columns, rows });
      expect(frame.length).toBeLessThan(rows);
      for (const line of frame) expect(widthOf(line)).toBeLessThan(columns);
    }
  });

  it('shows first what moves, and counts what it has no room for', () => {
    const many = [
      ...Array.from({ length: 300 }, (_, nth) => moveOf(nth, `tenant-${String(nth)}`, states.waiting)),
      moveOf(900, 'zz-active', states.running('freeze')),
    ];
    const frame = text(frameOf({ ...snapshot, moves: many }, { columns: 100, rows: 12 }));
    expect(frame.some((line) => line.includes('zz-active'))).toBe(true);
    expect(frame).toContain('… and 295 waiting');
  });

  it('names the host that is full', () => {
    const full = hostOf('a', { permitsOut: [moveId('mv_0000000000000001'), moveId('mv_0000000000000002')] });
    const hosts = new Map([[hostName('a'), full]]);
    const moves = [1, 2, 3].map((nth) => moveOf(nth, `t-${String(nth)}`, states.waiting));
    expect(text(frameOf({ ...snapshot, moves, hosts }, { columns: 100, rows: 24 }))).toContain(
      '  … 3 wait for a permit out of a',
    );
  });

  it('grows with the steps, and shrinks on the way back', () => {
    const shares = ['preflight', 'provision', 'copy', 'verify', 'freeze', 'activate', 'retire'].map((step) =>
      shareDone(moveOf(1, 'x', states.running(step))),
    );
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.at(0)).toBe(0);
    expect(shares.at(-1)).toBe(1);
    expect(shareDone(moveOf(1, 'x', states.rollingBack('provision')))).toBeLessThan(
      shareDone(moveOf(1, 'x', states.rollingBack('verify'))),
    );
    expect(stepNumber(moveOf(1, 'x', states.waiting))).toBe('0/12');
  });
});

describe('a batch that is followed', () => {
  async function* play(...snapshots: BatchSnapshot[]): AsyncGenerator<BatchSnapshot> {
    for (const each of snapshots) yield await Promise.resolve(each);
  }
  const at = (
    ms: number,
    moves: readonly Move[],
    state: 'running' | 'completed' = 'running',
  ): BatchSnapshot => ({
    at: began + ms,
    batch: batchOf({ total: 1, state, ...(state === 'completed' ? { endedAt: began + ms } : {}) }),
    moves,
  });
  const story = [
    at(0, []),
    at(1_000, [moveOf(1, 'shop', states.waiting)]),
    at(2_000, [moveOf(1, 'shop', states.running('copy'))]),
    at(3_000, [moveOf(1, 'shop', states.running('copy'))]),
    at(4_000, [moveOf(1, 'shop', states.hindered('copy'))]),
    at(40_000, [moveOf(1, 'shop', states.hindered('copy'))]),
    at(41_000, [moveOf(1, 'shop', retiring, { results: arrived(92, 1_000) })], 'completed'),
  ];

  it('is told in one line for each change where nobody watches', async () => {
    const stdout = new Captured();
    const last = await renderBatch(play(...story), createTerminal({ stdout, stderr: stdout, env: {} }));
    expect(last).toBe(story.at(-1));
    expect(stdout.text.trimEnd().split('\n')).toEqual([
      '09:00:00Z batch bt_0123456789abcdef0123: disk is failing',
      '09:00:01Z shop  a → b  0/12  waiting  for a permit on a and b',
      '09:00:02Z shop  a → b  4/12  transferring: copy',
      '09:00:04Z shop  a → b  4/12  transferring: copy  a does not answer',
      '09:00:40Z 0 of 1 moved · 1 under way · 0 B · 0:40',
      '09:00:40Z  ! 1 held up: a does not answer (host-unreachable)',
      '09:00:41Z shop  a → b  12/12  moved  writers paused 92 ms',
    ]);
  });

  it('tells coarse states only when there are many', async () => {
    const moves = Array.from({ length: 30 }, (_, nth) =>
      moveOf(nth, `t-${String(nth)}`, states.running('copy')),
    );
    const later = Array.from({ length: 30 }, (_, nth) =>
      moveOf(nth, `t-${String(nth)}`, states.running('verify')),
    );
    const stdout = new Captured();
    await renderBatch(play(at(0, moves), at(1, later)), createTerminal({ stdout, stderr: stdout, env: {} }));
    expect(stdout.text.trimEnd().split('\n')).toHaveLength(1 + 30);
  });

  it('is drawn in place on a terminal, and the last picture stays', async () => {
    const stdout = new Captured({ columns: 80, rows: 10 });
    await renderBatch(play(...story), createTerminal({ stdout, stderr: stdout, env: { NO_COLOR: '1' } }));
    expect(stdout.text).toContain('\u001b[');
    const plain = stripVTControlCharacters(stdout.text);
    expect(plain).toContain('1 of 1 moved');
    expect(plain.indexOf('4/12 copy')).toBeLessThan(plain.indexOf('12/12 moved'));
  });

  it('shows names that steer terminals as they are written', async () => {
    const stdout = new Captured();
    const evil = { ...batchOf({ total: 0 }), reason: 'x\u001b]0;owned\u0007' };
    await renderBatch(
      play({ ...at(0, []), batch: evil }),
      createTerminal({ stdout, stderr: stdout, env: {} }),
    );
    expect(stdout.text).toContain('x\\x1b]0;owned\\x07');
    expect(stdout.text).not.toContain('\u001b');
  });

  it('ends in a summary that names what has not moved', () => {
    const ended = { ...snapshot, batch: batchOf({ total: 6, state: 'completed', endedAt: began + 42_000 }) };
    expect(text(summaryOf(ended))).toEqual([
      '✗ mail rolled-back: b has too little room (no-space); dray explain mv_0000000000000003',
      '✗ zoo stuck: b has too little room (no-space); dray explain mv_0000000000000006',
      '✗ batch bt_0123456789abcdef0123 completed: 2 of 6 moved, 312 MB in 42.0 s; writers paused p50 92 ms, p99 180 ms, at most 180 ms',
    ]);
  });
});
