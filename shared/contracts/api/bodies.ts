import * as z from 'zod';
import { hostNameField, lineField, timeField } from '../fields.ts';
import { policyField } from '../events/policy.ts';
import { batchMoveRequested } from '../events/requests.ts';

/** `POST /batches`: `data` of `batch-move.requested`. */
export const batchBody = batchMoveRequested;

/** `POST /batches/{id}/{verb}` and the like: why. */
export const commandBody = z.strictObject({ reason: lineField(500) });

/** `POST /hosts/{id}/{verb}`: why, and what else the verb takes; which does is looked at by whoever takes the event. */
export const hostCommandBody = z.strictObject({
  reason: lineField(500),
  sequence: z.int().nonnegative().optional(),
  target: hostNameField.optional(),
  deadline: timeField.optional(),
  policy: policyField.optional(),
  signal: z.string().max(300).optional(),
  at: timeField.optional(),
});

/** What is answered to each of them. */
export const postingAnswer = z.object({
  request: z.string(),
  state: z.enum(['waiting', 'accepted', 'refused']),
  href: z.string().meta({ description: 'Where to see what becomes of it' }),
});
