import { describe, expect, test } from '@jest/globals';
import { runSeeds, spread } from './many.ts';
import { planOf, simulate } from './simulate.ts';
import { judge, tellBroken } from './verdict.ts';

/** `npm run simulate` runs thousands, each twice; here it is every twentieth. */
const seeds = { from: 1, count: 300, workers: 1, isTwice: (seed: number): boolean => seed % 20 === 0 };

describe('the whole pipeline, under chance', () => {
  test('keeps every promise after every event, whatever befalls it', async () => {
    const reports = await runSeeds(seeds);
    const [broken] = reports.filter((report) => report.broken !== null);
    if (broken !== undefined) throw new Error(await tellBroken(await judge(broken.seed)));
    expect(reports).toHaveLength(seeds.count);
    expect(spread(reports.map(({ events }) => events)).median).toBeGreaterThanOrEqual(300);
    expect(spread(reports.map(({ struck }) => struck)).median).toBeGreaterThanOrEqual(10);
    for (const { hosts, moves, planned } of reports) {
      expect(hosts).toBeGreaterThanOrEqual(4);
      expect(moves).toBeGreaterThanOrEqual(6);
      expect(planned).toBeGreaterThanOrEqual(10);
    }
  }, 600_000);

  test('moves everything when nothing goes wrong', async () => {
    const { broken, moves, moved } = await simulate(1, []);
    expect({ broken, moved }).toEqual({ broken: undefined, moved: moves });
  });

  test('two seeds are two scenarios, and two runs of one are the same, line by line', async () => {
    const { faults } = planOf(7);
    const one = await simulate(7, faults, { keepsLines: true });
    const again = await simulate(7, faults, { keepsLines: true });
    const other = await simulate(8, faults, { keepsLines: true });
    expect(again.lines).toEqual(one.lines);
    expect(other.hash).not.toBe(one.hash);
  });
});
