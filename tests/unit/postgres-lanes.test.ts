import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { runInLanes } from '../../shared/drivers/postgres/copy/lanes.ts';
import type { Unit } from '../../shared/drivers/postgres/copy/lanes.ts';

const always = (): boolean => true;

/** Units that note when they begin and end. */
function noting(
  plan: readonly { readonly name: string; readonly after: readonly string[]; readonly rank: number }[],
  log: string[],
): Unit[] {
  return plan.map((one) => ({
    ...one,
    run: async () => {
      log.push(`+${one.name}`);
      await turn();
      log.push(`-${one.name}`);
    },
  }));
}

describe('lanes', () => {
  test('every unit runs once, after all that it waits for, in so many lanes at most', async () => {
    const plans = fc.array(fc.record({ rank: fc.nat(9), back: fc.array(fc.nat(), { maxLength: 3 }) }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 4 }), async (drawn, lanes) => {
        const plan = drawn.map(({ rank, back }, index) => ({
          name: String(index),
          rank,
          after: index === 0 ? [] : [...new Set(back.map((one) => String(one % index)))],
        }));
        const log: string[] = [];
        expect(await runInLanes(noting(plan, log), lanes, always)).toBe(true);
        expect(log.filter((entry) => entry.startsWith('+')).sort()).toEqual(
          plan.map(({ name }) => `+${name}`).sort(),
        );
        let running = 0;
        for (const entry of log) {
          running += entry.startsWith('+') ? 1 : -1;
          expect(running).toBeLessThanOrEqual(lanes);
        }
        for (const { name, after } of plan)
          for (const other of after) expect(log.indexOf(`-${other}`)).toBeLessThan(log.indexOf(`+${name}`));
      }),
    );
  });

  test('of several that could begin the lowest rank does; what is not in the plan counts as done', async () => {
    const log: string[] = [];
    const plan = [
      { name: 'c', after: ['gone'], rank: 3 },
      { name: 'a', after: [], rank: 1 },
      { name: 'b', after: [], rank: 2 },
    ];
    await runInLanes(noting(plan, log), 1, always);
    expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+a', '+b', '+c']);
  });

  test('after a failure nothing more begins, what runs is waited for, and the failure is thrown', async () => {
    const log: string[] = [];
    const units: Unit[] = [
      { name: 'bad', after: [], rank: 0, run: () => Promise.reject(new Error('broken')) },
      ...noting([{ name: 'long', after: [], rank: 1 }], log),
      ...noting([{ name: 'next', after: [], rank: 2 }], log),
      ...noting([{ name: 'waits for bad', after: ['bad'], rank: 3 }], log),
    ];
    await expect(runInLanes(units, 2, always)).rejects.toThrow('broken');
    expect(log).toEqual(['+long', '-long']);
  });

  test('when time is over each lane has still done one, and the rest is left', async () => {
    const log: string[] = [];
    const plan = ['a', 'b', 'c'].map((name, rank) => ({ name, after: [], rank }));
    expect(await runInLanes(noting(plan, log), 2, () => false)).toBe(false);
    expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+a', '+b']);
  });
});
