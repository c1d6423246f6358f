import * as z from 'zod';
import { isHostName, type HostName } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';

const hostName = z.custom<HostName>((value) => typeof value === 'string' && isHostName(value));

/** What steps leave in the move's row for later ones and for people. */
const results = z.object({
  preflight: z
    .object({
      sizeBytes: z.number(),
      mode: z.enum(['online', 'offline']),
      warnings: z.number(),
      /** Packed: what the driver recorded. */
      recorded: z.json(),
      /** Packed: every finding. */
      findings: z.json(),
    })
    .optional(),
  verify: z.object({ at: z.number(), report: z.json() }).optional(),
  freeze: z
    .object({
      frozenAt: z.number(),
      predictedMs: z.number(),
      epoch: z.number(),
      /** Absent where writers are shut out for the whole copy. */
      budgetMs: z.number().optional(),
    })
    .optional(),
  activate: z
    .object({
      pauseMs: z.number(),
      openedAt: z.number(),
      retained: z.object({
        host: hostName,
        database: z.string(),
        systemIdentifier: z.string(),
        oid: z.number(),
      }),
    })
    .optional(),
});
export type MoveResults = z.infer<typeof results>;

/** @throws ZodError for a row that we did not write */
export function resultsOf(move: Pick<Move, 'execution'>): MoveResults {
  return results.parse(move.execution.results);
}
