import * as z from 'zod';
import { moveLabels } from '../../domain/move.ts';
import {
  anything,
  batchIdAnswer,
  count,
  cutoverWord,
  failure,
  milliseconds,
  moveIdAnswer,
  nameAnswer,
  time,
  version,
} from './fields.ts';
import { from } from './source.ts';

const label = z.enum(moveLabels);

/** A move in `GET /batches/{id}/moves`. */
export const moveOfBatch = z.object({
  move: from(moveIdAnswer, { attribute: 'pk', after: 'MOVE#'.length }),
  endpoint: from(nameAnswer, { attribute: 'labelAndEndpoint', side: 'after' }),
  state: from(z.enum(moveLabels), { attribute: 'labelAndEndpoint', side: 'before' }),
  source: nameAnswer,
  target: nameAnswer,
});

/** A move in `GET /moves?since=`. */
export const moveInHour = z.object({
  move: from(moveIdAnswer, { attribute: 'pk', after: 'MOVE#'.length }),
  batch: batchIdAnswer,
  endpoint: nameAnswer,
  source: nameAnswer,
  target: nameAnswer,
  createdAt: time,
});

/** `GET /moves/{id}` */
export const moveAnswer = z.object({
  move: from(moveIdAnswer, { attribute: 'id' }),
  batch: batchIdAnswer,
  endpoint: nameAnswer,
  database: z.string(),
  driver: z.string(),
  source: nameAnswer,
  target: nameAnswer,
  state: from(label, { attribute: 'label' }),
  why: z.string().meta({ description: 'Why it goes where it goes' }),
  priority: z.int(),
  run: count.meta({ description: 'From 1; a retry of the whole is a new run' }),
  epoch: count,
  createdAt: time,
  cutover: cutoverWord.optional(),
  reasons: z
    .array(
      z.object({
        batch: batchIdAnswer,
        move: moveIdAnswer,
        priority: z.int(),
        by: z.string(),
        at: time,
        reason: z.string(),
      }),
    )
    .optional()
    .meta({ description: 'Who wants it, once that is more than its own batch; empty: nobody any more' }),
  joined: z
    .object({ move: moveIdAnswer, batch: batchIdAnswer })
    .optional()
    .meta({ description: 'The move of another batch that takes the endpoint along for this one' }),
  status: z
    .object({
      state: z.enum(['waiting', 'running', 'rolling-back', 'completed', 'rolled-back', 'stuck']),
      step: z.string().optional(),
      waiting: z
        .object({ code: z.string(), on: z.string(), since: time })
        .optional()
        .meta({ description: 'Why it does not go on: on what, since when' }),
      dueAt: time.optional().meta({ description: 'It is looked at again then at the latest' }),
      putOff: z.boolean().optional(),
      failures: count.optional(),
      lastFailure: failure.optional(),
      lease: z.object({ owner: z.string(), until: time }).optional().meta({ description: 'Who works on it' }),
      hinderedSince: time.optional(),
      forwardOnly: z.boolean().optional(),
      spentMs: milliseconds.optional(),
      direction: z.enum(['forward', 'back']).optional(),
      reason: failure.optional(),
      undoing: failure.optional(),
      endedAt: time.optional(),
    })
    .meta({ description: 'What it does now' }),
  results: z.record(z.string(), anything).meta({ description: 'What its steps have left, by step' }),
  timings: z.record(z.string(), milliseconds).meta({ description: 'What each finished step took' }),
  last: z.object({ fact: z.string(), at: time, by: z.string(), note: z.string().optional() }),
  version,
});

/** An entry of `GET /moves/{id}/history`. */
export const historyAnswer = z.object({
  at: time,
  by: z.string(),
  fact: z.string(),
  from: z.string(),
  to: z.string(),
  step: z.string().optional(),
  ms: milliseconds.optional(),
  note: z.string().optional(),
  version,
});
