import * as z from 'zod';
import { batchIdAnswer, count, cutoverWord, failure, milliseconds, time, version, word } from './fields.ts';
import { from } from './source.ts';

const counted = (label: string) =>
  from(z.int().optional(), { attribute: `count_${label.replaceAll('-', '_')}` });
/** Flat attributes of the row, one for each coarse state that a move of the batch has been in. */
const counts = {
  waiting: counted('waiting'),
  transferring: counted('transferring'),
  'cutting-over': counted('cutting-over'),
  moved: counted('moved'),
  retired: counted('retired'),
  'rolling-back': counted('rolling-back'),
  'rolled-back': counted('rolled-back'),
  stuck: counted('stuck'),
};
const moves = from(z.object({ total: from(count.optional(), { attribute: 'total' }), ...counts }), {
  attribute: '',
}).meta({
  description:
    'How many of its moves are where, for display: exact once it is completed. Without `total`: not all are planned yet',
});

/** A batch in `GET /batches`. */
export const batchInList = z.object({
  batch: from(batchIdAnswer, { attribute: 'pk', after: 'BATCH#'.length }),
  state: z.enum(['planning', 'running', 'completed']),
  reason: z.string(),
  createdAt: time,
  endedAt: time.optional(),
  deadline: time.optional(),
  paused: word.optional(),
  resumed: word.optional(),
  cancelled: word.optional(),
  moves,
});

/** `GET /batches/{id}` */
export const batchAnswer = z.object({
  batch: from(batchIdAnswer, { attribute: 'id' }),
  state: z.enum(['planning', 'running', 'completed']),
  reason: z.string(),
  priority: z.int(),
  requestSource: z.string(),
  requestId: z.string(),
  createdAt: time,
  endedAt: time.optional(),
  deadline: time.optional(),
  moves,
  planned: count.meta({ description: 'Endpoints that have been looked at by the planner' }),
  policy: z.object({
    roles: z.string(),
    pauseBudgetMs: milliseconds,
    lagLimitBytes: count,
    retentionMs: milliseconds,
    offline: z.string(),
    approval: z.string().optional(),
    holdBeforeCutover: z.boolean().optional(),
    start: z.string().optional(),
    startAt: time.optional(),
    window: z.object({ cron: z.string(), durationMs: milliseconds, timeZone: z.string() }).optional(),
  }),
  failure: failure.optional(),
  unmet: failure.optional().meta({ description: 'What it cannot do of what was asked' }),
  unknown: z
    .object({ count, examples: z.array(z.string()) })
    .optional()
    .meta({ description: 'Endpoints that were asked for and are not there' }),
  skipped: z
    .object({ lines: count })
    .optional()
    .meta({ description: 'Lines of its manifest that were wrong and left out' }),
  paused: word.optional(),
  resumed: word.optional(),
  approved: word.optional(),
  started: word.optional(),
  cutover: cutoverWord.optional(),
  cancelled: word.optional(),
  version,
});
