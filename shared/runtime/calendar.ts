import { Cron } from 'croner';
import type { MaintenanceWindow } from '../domain/window.ts';
import type { Calendar } from '../ports/calendar.ts';

/** Openings that one look goes through: of a window that opens each minute, those of a week. */
const mostOpenings = 10_080;

/** The calendar with the time zones of this machine's runtime. */
export const machineCalendar: Calendar = {
  timesOf(window, now) {
    const next = openingsOf(window);
    if (next === undefined) return {};
    let openSince: number | undefined;
    let opening = next(now - window.durationMs);
    // Where they overlap, the last counts: it stays open longest.
    for (let nth = 0; opening !== undefined && opening <= now && nth < mostOpenings; nth += 1) {
      openSince = opening;
      opening = next(opening);
    }
    return {
      ...(openSince === undefined ? {} : { openSince, closesAt: openSince + window.durationMs }),
      ...(opening === undefined ? {} : { opensAt: opening }),
    };
  },

  faultOf(window, now) {
    if (!isTimeZone(window.timeZone)) return { part: 'timeZone', kind: 'unreadable' };
    const next = openingsOf(window);
    if (next === undefined) return { part: 'cron', kind: 'unreadable' };
    return next(now) === undefined ? { part: 'cron', kind: 'never' } : undefined;
  },
};

/** When a window opens first after a time; undefined when it cannot be read. */
function openingsOf({
  cron,
  timeZone,
}: MaintenanceWindow): ((after: number) => number | undefined) | undefined {
  if (!isTimeZone(timeZone)) return undefined;
  try {
    const pattern = new Cron(cron, { timezone: timeZone, mode: '5-part', paused: true });
    return (after) => pattern.nextRun(new Date(after))?.getTime();
  } catch {
    return undefined;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
