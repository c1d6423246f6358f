import type { Blocker } from './blockers.ts';

/**
 * What is to be said of work that should be over by now: nothing while there is time, or nothing left to do.
 *
 * @param deadline epoch milliseconds; undefined: nobody gave one
 * @param left how many moves, or endpoints, are still to come
 */
export function overdue(deadline: number | undefined, at: number, left: number): Blocker[] {
  if (deadline === undefined || at <= deadline || left === 0) return [];
  return [
    {
      kind: 'failing',
      code: 'overdue',
      on: `it was to be over by ${textOf(deadline)} and is ${spanOf(at - deadline)} late`,
      moves: left,
      since: deadline,
      cure: 'see below what the rest waits for; it goes on all the same',
      examples: [],
    },
  ];
}

/** `, due by 2026-11-21 09:00:00 UTC`, where there is a deadline. */
export const dueText = (deadline: number | undefined): string =>
  deadline === undefined ? '' : `, due by ${textOf(deadline)}`;

const textOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const minute = 60_000;
const hour = 60 * minute;

function spanOf(ms: number): string {
  if (ms < minute) return `${String(Math.ceil(ms / 1_000))} s`;
  return ms < 2 * hour ? `${String(Math.floor(ms / minute))} min` : `${String(Math.floor(ms / hour))} h`;
}
