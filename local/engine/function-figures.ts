import type { FunctionPool } from '../lambda/function-pool.ts';
import type { OpenMetrics } from '../metrics/open-metrics.ts';

/** Figures of each function that AWS keeps by itself. */
export function countFunctions(
  exposition: OpenMetrics,
  pools: Iterable<Pick<FunctionPool, 'spec' | 'use'>>,
): void {
  for (const { spec, use } of pools) {
    const dimensions = { function: spec.name };
    for (const [metric, sum] of [
      ['Invocations', use.invocations],
      ['Errors', use.errors],
      ['Timeouts', use.timeouts],
      ['Crashes', use.crashes],
      ['ColdStarts', use.coldStarts],
    ] as const)
      exposition.count({ namespace: 'Lambda', metric, dimensions }, sum);
  }
}
