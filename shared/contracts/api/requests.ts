import * as z from 'zod';
import { batchIdAnswer, time } from './fields.ts';
import { from } from './source.ts';

/** `GET /requests/{id}`: what has become of a request. */
export const requestAnswer = z.object({
  request: from(z.string(), { attribute: 'id' }),
  source: z.string(),
  type: z.string(),
  receivedAt: time,
  state: from(z.enum(['waiting', 'accepted', 'refused']), {
    attribute: 'outcome.kind',
    words: { pending: 'waiting' },
  }),
  batch: from(batchIdAnswer.optional(), { attribute: 'outcome.batch' }).meta({
    description: 'The batch that was made of it, or that it was about',
  }),
  code: from(z.string().optional(), { attribute: 'outcome.failure.code' }),
  field: from(z.string().optional(), { attribute: 'outcome.field' }),
  sentence: from(z.string().optional(), { attribute: 'outcome.failure.sentence' }),
  cure: from(z.string().optional(), { attribute: 'outcome.failure.cure' }),
});
