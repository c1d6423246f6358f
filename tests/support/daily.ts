/**
 * Of cells of one table of cases, which take long together, those that tell most: they run each time. All of them run
 * by `npm run test:all` and by a suite's own command, which set the variable.
 */
export function daily<T>(cases: readonly T[], isDaily: (one: T) => boolean): readonly T[] {
  return process.env['DRAYAGE_TESTS'] === 'all' ? cases : cases.filter(isDaily);
}
