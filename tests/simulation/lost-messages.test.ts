import { expect, test } from '@jest/globals';
import type { Fault } from './faults.ts';
import { simulate } from './simulate.ts';

const emptied = [600, 1_200, 2_500, 5_000, 9_000, 15_000, 24_000, 38_000];

/** Every queue is emptied by hand, again and again, and the table's stream ends for good. */
const plan: readonly Fault[] = [
  ...emptied.map((at): Fault => ({ kind: 'queues', at, what: 'empty' })),
  { kind: 'stream', nth: 20, what: 'end' },
];

test.each([1, 2, 3, 4, 5, 6])(
  'whatever messages are deleted, the sweeps bring everything to its end and tell all of it (seed %i)',
  async (seed) => {
    const { broken, lines, struck } = await simulate(seed, plan, { keepsLines: true });
    expect(broken).toBeUndefined();
    expect(struck).toHaveLength(plan.length);
    expect(lines.filter((line) => /\b[1-9]\d* messages are deleted/.test(line)).length).toBeGreaterThan(0);
  },
);
