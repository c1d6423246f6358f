import { Worker } from 'node:worker_threads';
import * as z from 'zod';

/** One seed for a worker. */
export const taskSchema = z.strictObject({ seed: z.int(), isTwice: z.boolean() });

const reportSchema = z.strictObject({
  seed: z.int(),
  hosts: z.int(),
  events: z.int(),
  moves: z.int(),
  moved: z.int(),
  writes: z.int(),
  planned: z.int(),
  struck: z.int(),
  /** What was broken, in a sentence. */
  broken: z.string().nullable(),
});
export type Report = z.infer<typeof reportSchema>;

export interface ManySeeds {
  readonly from: number;
  readonly count: number;
  readonly workers: number;
  /** Which seeds are run twice, to see whether both runs are the same. */
  readonly isTwice: (seed: number) => boolean;
}

/** After so many broken seeds there is enough to look at. */
const mostBroken = 5;

/** Runs seeds in threads of their own, until all are done or enough are broken. */
export async function runSeeds({ from, count, workers, isTwice }: ManySeeds): Promise<readonly Report[]> {
  const reports: Report[] = [];
  let next = from;
  const isOver = (): boolean =>
    next >= from + count || reports.filter(({ broken }) => broken !== null).length >= mostBroken;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = new Worker(new URL('./worker-main.ts', import.meta.url));
      try {
        while (!isOver()) {
          const seed = next++;
          reports.push(await ask(worker, { seed, isTwice: isTwice(seed) }));
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return reports.sort((one, other) => one.seed - other.seed);
}

function ask(worker: Worker, task: z.infer<typeof taskSchema>): Promise<Report> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: unknown) => {
      worker.off('error', reject);
      resolve(reportSchema.parse(message));
    });
    worker.postMessage(task);
  });
}

export function spread(figures: readonly number[]): { readonly least: number; readonly median: number } {
  const sorted = figures.toSorted((one, other) => one - other);
  return { least: sorted[0] ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}
