import type { Context, ScheduledEvent } from 'aws-lambda';
import type { Invocation } from '../workflow/services.ts';
import { invocationOf, wrap } from './platform.ts';

/** A function that the clock calls. What it throws is the platform's to report; the next tick tries again. */
export function scheduleHandler(
  handle: (invocation: Invocation) => Promise<void>,
): (event: ScheduledEvent, context: Context) => Promise<void> {
  return wrap((_event, context) => handle(invocationOf(context)));
}
