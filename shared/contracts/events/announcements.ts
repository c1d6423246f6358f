import * as z from 'zod';
import { batchIdPattern, namePattern } from '../../domain/ids.ts';
import { moveLabels } from '../../domain/move.ts';

const name = z.string().regex(namePattern);
const count = z.int().nonnegative();
const dials = z.object({ out: count.optional(), in: count.optional(), moves: count.optional() });

/** `data` of each type of event with which we tell the world something. Readers ignore what they do not know. */
export const announcementContracts = {
  /** Where an endpoint is from now on. Of two the one with the higher epoch counts, whichever comes first. */
  'endpoint.moved': z.object({
    endpoint: name,
    epoch: count,
    host: name,
    database: z.string(),
    address: z.string().optional(),
  }),
  /** Every move of a batch has arrived or been given up. */
  'batch.completed': z.object({
    batch: z.string().regex(batchIdPattern),
    reason: z.string(),
    counts: z.partialRecord(z.enum(moveLabels), count),
    quarantined: count,
    cancelled: z.object({ by: z.string(), at: count, reason: z.string() }).optional(),
    notUndone: z.object({ count, examples: z.array(z.string()) }).optional(),
    failure: z
      .object({ code: z.string(), sentence: z.string(), cure: z.string(), host: z.string().optional() })
      .optional(),
  }),
  /** The autoscaler has changed what may go on at once. */
  'permits.scaled': z.object({
    target: z.string(),
    direction: z.enum(['out', 'in']),
    from: dials,
    to: dials,
    reason: z.string(),
  }),
} as const;
