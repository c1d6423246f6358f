import type { Parsed, RequestEvent } from '../../domain/event.ts';
import { priorities } from '../../domain/priority.ts';
import type { Services } from '../services.ts';
import { selectionOf } from './check-selection.ts';
import { carryOut } from '../commands/carry-out.ts';
import { checkWindow } from './check-window.ts';
import { changeEndpoint, registerEndpoint } from './endpoints.ts';
import { openBatch } from './open-batch.ts';
import { recordRefusal, recordRequest } from './record-request.ts';
import { turnKnob } from './turn-knob.ts';

type AcceptServices = Pick<
  Services,
  'store' | 'views' | 'blobs' | 'bus' | 'clock' | 'calendar' | 'chance' | 'log' | 'tracer' | 'settings'
>;

/** Takes one event of the `requests` topic: what can be seen to be wrong is refused before anything begins. */
export async function acceptRequest(services: AcceptServices, parsed: Parsed<RequestEvent>): Promise<void> {
  if (parsed.kind === 'refused') {
    await recordRefusal(services, parsed.head, parsed.refusal);
    return;
  }
  const { head, event } = parsed;
  const why = 'reason' in event ? { reason: event.reason } : {};
  await recordRequest(services, { ...head, ...why }, async () => {
    switch (event.kind) {
      case 'move-batch': {
        const { reason, policy } = event;
        checkWindow(services, policy);
        const selection = await selectionOf(services, event);
        return {
          batch: await openBatch(services, head, {
            reason,
            policy,
            priority: selection.kind === 'rebalance' ? priorities.rebalance : priorities.requested,
            selection,
          }),
        };
      }
      case 'register-endpoint':
        await registerEndpoint(services, event);
        return {};
      case 'change-endpoint':
        await changeEndpoint(services, event);
        return {};
      case 'command': {
        const batch = await carryOut(services, head, event);
        return batch === undefined ? {} : { batch };
      }
      case 'set-knob':
        await turnKnob(services, head.source, event);
        return {};
      default:
        return event satisfies never;
    }
  });
}
