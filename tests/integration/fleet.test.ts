import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');

const result = z.object({
  state: z.string(),
  moves: z.object({ total: z.int(), moved: z.int() }),
  largestMessageBytes: z.int(),
  writes: z.object({ acknowledged: z.int(), lost: z.int(), duplicated: z.int(), reordered: z.int() }),
  faults: z.array(z.string()),
});

test('a fleet of simulated endpoints passes the whole pipeline by one request, under writes, and leaves nothing behind', async () => {
  // It ends with status 1 when it found a fault, and names it in its last line.
  const line = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bench', 'fleet.ts'), '--endpoints', '24', '--hosts', '4', '--writes', '100', '--json'],
      { cwd: root, timeout: 240_000 },
      (_, stdout) => {
        resolve(stdout.trim().split('\n').at(-1) ?? '');
      },
    );
  });
  const { writes, largestMessageBytes, ...rest } = result.parse(JSON.parse(line));
  expect(rest).toEqual({ state: 'completed', moves: { total: 24, moved: 24 }, faults: [] });
  expect(writes).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 });
  // Each database begins with ten rows: more than those were written while it moved.
  expect(writes.acknowledged).toBeGreaterThan(240);
  expect(largestMessageBytes).toBeLessThanOrEqual(1_024);
}, 300_000);
