import * as z from 'zod';
import { count, failure, time } from './fields.ts';
import { from } from './source.ts';

/** A message in `GET /dead-letters`: set aside because its function has failed on it as often as it may. */
export const letterAnswer = z.object({
  letter: from(z.string(), { attribute: 'pk', after: 'LETTER#'.length }).meta({
    description: 'As its queue calls it; dray dead-letters show has its body',
  }),
  queue: z.string(),
  attempts: from(count, { attribute: 'receives' }),
  failedAt: from(time, { attribute: 'at' }),
  failure: failure.optional(),
});
