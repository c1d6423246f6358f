import type { Refusal } from '../../domain/event.ts';
import type { BatchPolicy } from '../../domain/policy.ts';
import type { Services } from '../services.ts';
import { Refused } from './record-request.ts';

type WindowServices = Pick<Services, 'calendar' | 'clock'>;

/** Will the maintenance window of a batch ever open? @throws Refused `window-unreadable`, `window-never` */
export function checkWindow(services: WindowServices, policy: BatchPolicy): void {
  const refusal = windowRefusal(services, policy);
  if (refusal !== undefined) throw new Refused(refusal);
}

/** Why the maintenance window of a batch would never open; undefined: it will, or there is none. */
export function windowRefusal(
  { calendar, clock }: WindowServices,
  { window }: BatchPolicy,
): Refusal | undefined {
  const fault = window === undefined ? undefined : calendar.faultOf(window, clock.now());
  if (window === undefined || fault === undefined) return undefined;
  const field = `data.policy.window.${fault.part}`;
  if (fault.kind === 'never') {
    return {
      code: 'window-never',
      field,
      sentence: `the maintenance window "${window.cron}" never opens`,
      cure: 'correct day and month: there is no 30 February',
    };
  }
  return {
    code: 'window-unreadable',
    field,
    sentence:
      fault.part === 'cron'
        ? `"${window.cron}" is no cron expression`
        : `there is no time zone "${window.timeZone}"`,
    cure:
      fault.part === 'cron'
        ? 'write minute, hour, day of month, month and day of week, e.g. "0 2 * * *"'
        : 'write a name of the IANA database, e.g. "Europe/Berlin" or "UTC"',
  };
}
