import * as z from 'zod';
import type { Parsed, RequestEvent } from '../../domain/event.ts';
import { lineField } from '../fields.ts';
import { parseEvent, reads } from './cloud-event.ts';
import { commandRequested } from './command.ts';
import { endpointChanged, endpointRegistered } from './endpoints.ts';
import { knobSet } from './knob.ts';
import { policyField } from './policy.ts';
import { chosen, claimCheckField, reportTo, selectionFields } from './selection.ts';

/** `data` of `batch-move.requested`: what to move, where to, why and how. */
export const batchMoveRequested = z
  .strictObject({
    reason: lineField(500),
    ...selectionFields,
    selectionRef: claimCheckField.optional(),
    policy: policyField,
  })
  .transform(({ reason, policy, selectionRef, ...fields }, context): RequestEvent => {
    if (selectionRef === undefined) {
      const selection = chosen(fields, reportTo(context)) ?? z.NEVER;
      return { kind: 'move-batch', reason, policy, selection: { kind: 'value', selection } };
    }
    if (Object.values(fields).some((field) => field !== undefined)) {
      reportTo(context)({
        code: 'selection-ambiguous',
        field: 'selectionRef',
        sentence: 'A selection by reference stands beside one by value.',
        cure: 'Leave out everything else that selects; the body that selectionRef names may hold it.',
      });
    }
    return { kind: 'move-batch', reason, policy, selection: { kind: 'reference', check: selectionRef } };
  });

/** `data` of each type of event that the topic takes. */
export const requestContracts = {
  'batch-move.requested': batchMoveRequested,
  'endpoint.registered': endpointRegistered,
  'endpoint.changed': endpointChanged,
  'command.requested': commandRequested,
  'knob.set': knobSet,
} as const;

const contract = {
  topic: 'requests',
  readers: {
    'batch-move.requested': reads(batchMoveRequested, (event) => event),
    'endpoint.registered': reads(endpointRegistered, (event) => event),
    'endpoint.changed': reads(endpointChanged, ({ sequence, ...rest }, { at }): RequestEvent => ({
      kind: 'change-endpoint',
      sequence: sequence ?? at,
      ...rest,
    })),
    'command.requested': reads(commandRequested, (data, { at }): RequestEvent => ({
      kind: 'command',
      ...data,
      at,
    })),
    'knob.set': reads(knobSet, (data, { at }): RequestEvent => ({ kind: 'set-knob', ...data, at })),
  },
};

/**
 * Reads an event of the `requests` topic. Never throws.
 * @param receivedAt epoch milliseconds
 */
export function parseRequest(text: string, receivedAt: number): Parsed<RequestEvent> {
  return parseEvent(text, receivedAt, contract);
}
