/**
 * Of cells of one table of cases, which take long together, those that tell most: they run each time, all of them by
 * the suite's own command, which sets the variable.
 */
export function daily<T>(cases: readonly T[], isDaily: (one: T) => boolean): readonly T[] {
  return process.env['DRAYAGE_FAULTS'] === 'all' ? cases : cases.filter(isDaily);
}
