import { workMessage } from '../contracts/messages.ts';
import type { Closable, Mover } from '../ports/driver.ts';
import type { Phase } from '../workflow/move-endpoint/workflow.ts';
import { workInPhase } from '../workflow/move-endpoint/work-in-phase.ts';
import { setAside } from '../workflow/set-aside.ts';
import { driverRegistry, type DriverLoaders } from './drivers.ts';
import { queueHandler } from './queue-handler.ts';
import { services } from './services.ts';

/**
 * A function that takes moves through the steps of one phase, with what drivers do in it. A move whose message fails
 * again and again is set aside.
 */
export function workHandler<Session extends Closable>(
  phase: Phase<Session>,
  drivers: DriverLoaders<Mover<Session>>,
) {
  const driver = driverRegistry(drivers);
  return queueHandler(
    workMessage,
    (message, invocation) => workInPhase({ ...services(), driver }, phase, message, invocation),
    (message, failure, { owner }) => setAside(services(), message, failure, owner),
  );
}
