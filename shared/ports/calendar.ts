import type { MaintenanceWindow, WindowTimes } from '../domain/window.ts';

/** What is wrong with a window for good. */
export interface WindowFault {
  readonly part: 'cron' | 'timeZone';
  readonly kind: 'unreadable' | 'never';
}

/** Days, months and clocks, as people keep them. */
export interface Calendar {
  /** How a window stands at `now` (epoch milliseconds). One that cannot be read never opens. */
  timesOf(window: MaintenanceWindow, now: number): WindowTimes;
  /** undefined: it can be read, and opens some time from `now` on */
  faultOf(window: MaintenanceWindow, now: number): WindowFault | undefined;
}
