import type { Fault } from './faults.ts';
import { simulate, type Outcome } from './simulate.ts';

/** Runs that a shrinking may take. */
const mostRuns = 150;

/**
 * Leaves out faults, by halves and then one by one, while the run still breaks; what is left is what it takes.
 * @returns the last broken run, with its lines
 */
export async function shrink(
  seed: number,
  plan: readonly Fault[],
): Promise<{ readonly plan: readonly Fault[]; readonly outcome: Outcome }> {
  let runs = 0;
  let needed = plan;
  for (let size = Math.ceil(plan.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < needed.length && runs < mostRuns;) {
      const fewer = [...needed.slice(0, at), ...needed.slice(at + size)];
      runs += 1;
      if ((await simulate(seed, fewer)).broken === undefined) at += size;
      else needed = fewer;
    }
  }
  return { plan: needed, outcome: await simulate(seed, needed, { keepsLines: true }) };
}
