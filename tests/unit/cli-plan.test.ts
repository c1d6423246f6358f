import { describe, expect, it } from '@jest/globals';
import { isWhole, planReport, renderPlan } from '../../cli/plan-report.ts';
import { paint } from '../../cli/text.ts';
import { share } from '../../cli/verbs/plan.ts';
import type { Selection } from '../../shared/domain/batch.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import { makePlan } from '../../shared/domain/planning/make-plan.ts';
import type { PlanHost, Seat, Snapshot } from '../../shared/domain/planning/snapshot.ts';

const host = (name: string, capacityBytes?: number): PlanHost => ({
  name: hostName(name),
  driver: 'postgres',
  zone: 'z1',
  hasFailed: false,
  reservedBytes: 0,
  ...(capacityBytes === undefined ? {} : { capacityBytes }),
});
const seat = (name: string, bytes: number, zones?: readonly string[]): Seat => ({
  endpoint: endpointName(name),
  driver: 'postgres',
  host: hostName('a'),
  bytes,
  labels: {},
  ...(zones === undefined ? {} : { zones }),
});
const snapshot: Snapshot = {
  hosts: [host('a'), host('b', 1_000), host('c')],
  seats: [seat('shop', 300), seat('crm', 100, ['z7'])],
};
const reportOf = (selection: Selection) => planReport(snapshot, makePlan(selection, snapshot));
const drain = reportOf({ kind: 'host', host: hostName('a'), target: hostName('b') });
const textOf = (report: ReturnType<typeof reportOf>): string[] =>
  renderPlan(report).map((line) => paint(line, false));

describe('the report of a plan', () => {
  it('has the documented shape', () => {
    expect(drain).toEqual({
      moves: [{ endpoint: 'shop', from: 'a', to: 'b', bytes: 300, why: 'asked for' }],
      unplaced: [
        {
          endpoint: 'crm',
          host: 'a',
          code: 'no-target',
          sentence: 'b may not take crm: b is outside its zones (z7)',
          cure: 'let it be in more zones',
          stops: [{ rule: 'zones', hosts: 1, examples: ['b'] }],
        },
      ],
      unknown: [],
      bytes: 300,
      hosts: [
        {
          host: 'a',
          zone: 'z1',
          capacityBytes: null,
          before: { bytes: 400, endpoints: 2 },
          after: { bytes: 100, endpoints: 1 },
        },
        {
          host: 'b',
          zone: 'z1',
          capacityBytes: 1_000,
          before: { bytes: 0, endpoints: 0 },
          after: { bytes: 300, endpoints: 1 },
        },
        {
          host: 'c',
          zone: 'z1',
          capacityBytes: null,
          before: { bytes: 0, endpoints: 0 },
          after: { bytes: 0, endpoints: 0 },
        },
      ],
      imbalance: { before: expect.any(Number), after: expect.any(Number) },
    });
    expect(drain.imbalance.after).toBeLessThan(drain.imbalance.before);
    expect(isWhole(drain)).toBe(false);
    expect(isWhole(reportOf({ kind: 'rebalance' }))).toBe(true);
  });

  it('shows moves, what has no place and why, and the hosts that change, before and after', () => {
    const lines = textOf(drain);
    expect(lines[0]).toBe('1 move, 300 B: nothing of it is done yet');
    expect(lines).toContain('shop      a → b      300 B  asked for');
    expect(lines).toContain('✗ 1 endpoint without a place');
    expect(lines).toContain('  crm on a: b may not take crm: b is outside its zones (z7)');
    expect(lines.some((line) => /^b +z1 +0 B +300 B +0 +1 +0 % +30 %$/.test(line))).toBe(true);
    expect(lines.some((line) => line.startsWith('c '))).toBe(false);
    expect(lines.at(-1)).toMatch(/^imbalance \d\.\d{3} → \d\.\d{3} /);
  });

  it('says what of a request is not reached, or not there', () => {
    expect(textOf(reportOf({ kind: 'relieve', host: hostName('c'), under: 0.5 }))).toContain(
      '✗ nobody has said how much c may hold',
    );
    expect(textOf(reportOf({ kind: 'endpoints', endpoints: [endpointName('nobody')] }))).toContain(
      '✗ there is no endpoint nobody',
    );
  });

  it('cuts long lists, and says so', () => {
    const seats = Array.from({ length: 300 }, (_, nth) => seat(`e${String(nth)}`, 1));
    const many = { ...snapshot, seats };
    const lines = renderPlan(planReport(many, makePlan({ kind: 'host', host: hostName('a') }, many)));
    expect(lines.length).toBeLessThan(60);
    expect(lines.map((line) => paint(line, false))).toContain('  … and 260 more: --json has all');
  });
});

describe('a share of a capacity', () => {
  it.each([
    ['70%', 0.7],
    ['70 %', 0.7],
    ['0.7', 0.7],
    ['12.5%', 0.125],
  ])('is read: %s', (text, value) => {
    expect(share(text)).toBeCloseTo(value, 12);
  });

  it.each(['', '0%', '100%', '70', 'most', '-5%', '7e1%'])('is refused: "%s"', (text) => {
    expect(() => share(text)).toThrow('Write a share of its capacity');
  });
});
