import { test } from '@jest/globals';

/** By `npm run test:all` and by a suite's own command, which set the variable. */
const isWhole = process.env['DRAYAGE_TESTS'] === 'all';

/** Of cells of one table of cases, which take long together, those that tell most: they run each time. All of them run by `npm run test:all`. */
export function daily<T>(cases: readonly T[], isDaily: (one: T) => boolean): readonly T[] {
  return isWhole ? cases : cases.filter(isDaily);
}

/**
 * A test that takes long, and whose promise a daily one looks at in another way: `npm run test:all` runs it, and
 * `npm test` counts it as skipped.
 */
export const longTest: typeof test | typeof test.skip = isWhole ? test : test.skip;
