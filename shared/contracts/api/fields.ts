import * as z from 'zod';
import { batchIdPattern, moveIdPattern, namePattern } from '../../domain/ids.ts';
import { from } from './source.ts';

/** The fields that answers of several kinds share. */
export const nameAnswer = z.string().regex(namePattern);
export const batchIdAnswer = z.string().regex(batchIdPattern);
export const moveIdAnswer = z.string().regex(moveIdPattern);

/** Epoch milliseconds. */
export const time = z.int().nonnegative().meta({ description: 'Epoch milliseconds' });
export const count = z.int().nonnegative();
export const milliseconds = z.number().nonnegative().meta({ description: 'Milliseconds' });
export const version = count.meta({ description: 'Grows with every change' });

/** Who said something, when and why. */
export const word = z
  .object({ by: z.string(), at: time, reason: z.string() })
  .meta({ description: 'Who said so, when and why' });

export const cutoverWord = z
  .object({ kind: z.enum(['held', 'released']), by: z.string(), at: time, reason: z.string() })
  .meta({ description: 'The latest word on whether it may cut over' });

/** Why something does not go on. */
export const failure = z
  .object({
    code: z.string(),
    sentence: z.string(),
    cure: z.string(),
    host: z.string().optional(),
    quarantined: z.boolean().optional(),
  })
  .meta({ description: 'What went wrong: a code of errors.md, a sentence and the cure' });

export const labels = z.record(z.string(), z.string());

/** Free-form values, exact as they were written. */
export const anything = from(z.unknown(), { form: 'json' });

/** A page of a list. */
export const page = <Name extends string, Item extends z.ZodType>(name: Name, item: Item) =>
  z.object({
    [name]: z.array(item),
    next: z.string().optional().meta({
      description: 'Opaque: give it as `page` to go on. Absent: there is no more',
    }),
  });
