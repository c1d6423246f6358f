import * as z from 'zod';
import { batchIdAnswer, count, labels, moveIdAnswer, nameAnswer, time, version, word } from './fields.ts';
import { from } from './source.ts';

const intent = z.object({
  value: z.enum(['active', 'cordoned', 'draining', 'retired']),
  reason: z.string(),
  sequence: count,
  deadline: time.optional(),
});

/** Rows of earlier releases have the time only, and all that they know of is a failure. */
const signal = from(
  z.object({
    kind: z.enum(['failed', 'strained']),
    since: time,
    at: time,
    reason: z.string().optional(),
  }),
  { number: { kind: '"failed"', since: '$number', at: '$number' } },
);
const signals = z
  .record(z.string(), signal)
  .meta({ description: 'What is wrong with it; empty: it is healthy' });

/** `GET /hosts/{id}` */
export const hostAnswer = z.object({
  host: from(nameAnswer, { attribute: 'name' }),
  driver: z.string(),
  zone: z.string(),
  clientAddress: z.string().meta({ description: 'Where clients reach what it serves' }),
  capacityBytes: count.optional(),
  intent,
  signals,
  cleared: z
    .record(z.string(), time)
    .optional()
    .meta({ description: 'Signals that are over, and since when' }),
  healing: z.object({ since: time, at: time, batches: z.array(batchIdAnswer) }).optional(),
  paused: word.optional(),
  resumed: word.optional(),
  labels: labels.optional(),
  movesOut: count,
  movesIn: count,
  throttle: z.object({ out: count, in: count }).optional(),
  permitsOut: from(z.array(moveIdAnswer).optional(), { form: 'set' }).meta({
    description: 'The moves away from it that are under way',
  }),
  permitsIn: from(z.array(moveIdAnswer).optional(), { form: 'set' }),
  reserved: z
    .record(z.string(), count)
    .meta({ description: 'Bytes set aside, by the move that is to bring them' }),
  serverVersion: z.string(),
  registeredAt: time,
  version,
});

/** A host in `GET /hosts`. */
export const hostInList = z.object({
  host: from(nameAnswer, { attribute: 'pk', after: 'HOST#'.length }),
  driver: z.string(),
  zone: z.string(),
  clientAddress: z.string(),
  capacityBytes: count.optional(),
  intent,
  signals,
  paused: word.optional(),
  resumed: word.optional(),
  movesOut: count,
  movesIn: count,
  throttle: z.object({ out: count, in: count }).optional(),
});
