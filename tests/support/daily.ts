import { test } from '@jest/globals';

const isWhole = process.env['DRAYAGE_FAULTS'] === 'all';

/**
 * Of cases that take long, those that tell most: they run each time, the others by the suite's own command, which
 * sets the variable.
 */
export function daily<T>(cases: readonly T[], isDaily: (one: T) => boolean): readonly T[] {
  return isWhole ? cases : cases.filter(isDaily);
}

/** A test of those others. */
export const rarely = isWhole ? test : test.skip;
