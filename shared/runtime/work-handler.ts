import { workMessage } from '../contracts/messages.ts';
import { setAside } from '../workflow/set-aside.ts';
import { workOnMove } from '../workflow/work-on-move.ts';
import { hostServices } from './host-services.ts';
import { queueHandler } from './queue-handler.ts';

/**
 * The functions that take moves through their steps, one for each phase: they differ in queue, time, memory and role
 * alone. A move whose message fails again and again is set aside.
 */
export const workHandler = queueHandler(
  workMessage,
  (message, invocation) => workOnMove(hostServices(), message, invocation),
  (message, failure, { owner }) => setAside(hostServices(), message, failure, owner),
);
