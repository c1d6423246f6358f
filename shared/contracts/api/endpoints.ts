import * as z from 'zod';
import { count, labels, moveIdAnswer, nameAnswer, time, version, word } from './fields.ts';
import { from } from './source.ts';

/** `GET /endpoints/{id}`: where an endpoint is now. Read consistently. */
export const endpointAnswer = z.object({
  endpoint: nameAnswer,
  host: nameAnswer.meta({ description: 'Serves it now; its `clientAddress` is at /hosts/{id}' }),
  database: z.string(),
  driver: z.string(),
  epoch: count.meta({ description: 'One more with each cutover' }),
  announcedEpoch: count,
  state: from(z.enum(['serving', 'frozen', 'thawing', 'flipped', 'opening']), {
    attribute: 'arbitration.kind',
  }).meta({ description: 'Clients can write while it is serving' }),
  move: from(moveIdAnswer.optional(), { attribute: 'claim.move' }).meta({
    description: 'The move that is at it now',
  }),
  lastMove: moveIdAnswer.optional(),
  sizeBytes: count,
  labels,
  group: z.object({ name: z.string(), spread: z.enum(['hosts', 'zones']) }).optional(),
  zones: z.array(z.string()).optional(),
  pin: nameAnswer.optional(),
  paused: word.optional(),
  resumed: word.optional(),
  registeredAt: time,
  version,
});

/** An endpoint in `GET /hosts/{id}/endpoints`. */
export const endpointOnHost = z.object({
  endpoint: from(nameAnswer, { attribute: 'pk', after: 'ENDPOINT#'.length }),
  epoch: count,
  database: z.string(),
  driver: z.string(),
  sizeBytes: count,
});
