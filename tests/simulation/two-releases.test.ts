import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { MemoryChange } from '../support/memory-table.ts';
import { generation, type Generation } from './generation.ts';
import { NextRelease } from './next-release.ts';
import { planOf, simulate } from './simulate.ts';

let copy: NextRelease;
let next: Generation;

beforeAll(async () => {
  copy = await NextRelease.make();
  next = await copy.load();
});

afterAll(async () => {
  await copy.remove();
});

/** Deployed, function by function, while moves are in flight; found wanting, and rolled back the same way, for good. */
const [begins, isDeployed, isRolledBack, isBack] = [4_000, 9_000, 18_000, 24_000] as const;

function deployed(afterMs: number, dice: { chance: (share: number) => boolean }): Generation {
  if (afterMs < begins || afterMs >= isBack) return generation;
  return (afterMs >= isDeployed && afterMs < isRolledBack) || dice.chance(0.5) ? next : generation;
}

test('batches run across a release and its rollback, whatever befalls them, and no row loses what the newer one wrote', async () => {
  const carried = { top: 0, inside: 0, inList: 0 };
  for (const seed of [1, 2, 3, 4]) {
    const lost: string[] = [];
    const { broken, moves } = await simulate(seed, planOf(seed).faults, {
      deployed,
      onChange: (change) => {
        compare(change, carried, lost);
      },
    });
    expect({ seed, broken, lost }).toEqual({ seed, broken: undefined, lost: [] });
    expect(moves).toBeGreaterThan(0);
  }
  expect(Math.min(...Object.values(carried))).toBeGreaterThan(20);
});

const row = z.looseObject({
  pk: z.string(),
  crew: z.string().optional(),
  status: z.looseObject({ state: z.string(), pace: z.string().optional() }).optional(),
  items: z.array(z.looseObject({ key: z.string(), origin: z.string().optional() })).optional(),
});

/** Counts what a write has carried on of the newer release's, and names what it has lost. */
function compare(
  { before, after }: MemoryChange,
  carried: { top: number; inside: number; inList: number },
  lost: string[],
): void {
  if (before === undefined || after === undefined) return;
  const [was, is] = [row.parse(before), row.parse(after)];
  const look = (what: keyof typeof carried, had: string | undefined, has: string | undefined): void => {
    if (had === undefined) return;
    if (has !== undefined) carried[what] += 1;
    else lost.push(`${what} of ${is.pk}`);
  };
  look('top', was.crew, is.crew);
  if (was.status?.state === is.status?.state) look('inside', was.status?.pace, is.status?.pace);
  for (const item of was.items ?? []) {
    const same = is.items?.find(({ key }) => key === item.key);
    if (same !== undefined) look('inList', item.origin, same.origin);
  }
}
