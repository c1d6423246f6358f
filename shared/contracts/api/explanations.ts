import * as z from 'zod';
import { count, milliseconds, time } from './fields.ts';

/** `GET /…/{id}/explanation`: what goes on, why it does not go on, and what a person can do. */
export const explanationAnswer = z.object({
  subject: z.string().meta({ description: 'What it is about' }),
  sentence: z.string().meta({ description: 'What it does, or waits for, or ended as' }),
  since: time.optional().meta({ description: 'Since when it is so' }),
  eta: z.object({ ms: milliseconds, earliestMs: milliseconds, latestMs: milliseconds }).optional().meta({
    description: 'When what can go on of a batch will have arrived, from now; four ends of five fall between',
  }),
  blockers: z
    .array(
      z.object({
        kind: z.enum(['waiting', 'failing', 'ended', 'quarantined']),
        code: z.string(),
        on: z.string().meta({ description: 'Of what waits it completes "waits for …"; else a sentence' }),
        moves: count.meta({ description: 'How many moves it keeps' }),
        since: time.optional(),
        cure: z.string().optional().meta({ description: 'What ends it' }),
        examples: z.array(z.string()),
      }),
    )
    .meta({ description: 'What is in the way, that of the most moves first' }),
  actions: z.array(z.string()).meta({ description: 'What a person can do next: commands and cures' }),
});
