import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { nextReleaseSources, removeSources } from '../support/next-release-sources.ts';

const root = join(import.meta.dirname, '..', '..');

const standing = z.object({ moved: z.int(), underWay: z.int() });
const result = z.object({
  state: z.string(),
  moves: z.object({ total: z.int(), moved: z.int() }),
  largestMessageBytes: z.int(),
  writes: z.object({ acknowledged: z.int(), lost: z.int(), duplicated: z.int(), reordered: z.int() }),
  exchanges: z.tuple([standing, standing]),
  unknownAttributes: z.object({ crew: z.int().optional() }),
  faults: z.array(z.string()),
});

let next: string;

beforeAll(async () => {
  next = await nextReleaseSources();
});

afterAll(async () => {
  await removeSources(next);
});

test('a fleet of simulated endpoints passes the whole pipeline by one request, under writes, across an upgrade and its rollback, and leaves nothing behind', async () => {
  const options = { endpoints: 12, hosts: 4, permits: 2, writes: 100, 'other-release': next };
  // It ends with status 1 when it found a fault, and names it in its last line.
  const line = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [
        join(root, 'bench', 'fleet.ts'),
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
        '--json',
      ],
      { cwd: root, timeout: 240_000 },
      (_, stdout) => {
        resolve(stdout.trim().split('\n').at(-1) ?? '');
      },
    );
  });
  const { writes, largestMessageBytes, exchanges, unknownAttributes, ...rest } = result.parse(
    JSON.parse(line),
  );
  expect(rest).toEqual({ state: 'completed', moves: { total: 12, moved: 12 }, faults: [] });
  expect(writes).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 });
  // Each database begins with ten rows: more than those were written while it moved.
  expect(writes.acknowledged).toBeGreaterThan(120);
  expect(largestMessageBytes).toBeLessThanOrEqual(1_024);
  // The one that came, and the one that came back, found moves in flight.
  for (const { underWay } of exchanges) expect(underWay).toBeGreaterThan(0);
  // What it wrote stands in rows that the one before has gone on with.
  expect(unknownAttributes.crew).toBeGreaterThan(0);
}, 300_000);
