import { z } from 'zod';

const response = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * The identifiers that a function reported as failed (`ReportBatchItemFailures`). As AWS reads it: an empty answer or
 * an empty list means that all succeeded; an answer that makes no sense, or an unknown identifier, that all failed.
 */
export function failedItems(payload: string, identifiers: readonly string[]): ReadonlySet<string> {
  const all = new Set(identifiers);
  let answer: unknown;
  try {
    answer = JSON.parse(payload);
  } catch {
    return all;
  }
  if (answer === null || answer === '') return new Set();
  const parsed = response.safeParse(answer);
  if (!parsed.success) return all;
  const failed = (parsed.data.batchItemFailures ?? []).map((failure) => failure.itemIdentifier);
  return failed.every((identifier) => all.has(identifier)) ? new Set(failed) : all;
}
