import * as z from 'zod';
import type { ClaimCheck } from '../shared/domain/batch.ts';
import { isBatchId, type BatchId } from '../shared/domain/ids.ts';
import { bucketSource, refusedUnder, type ManifestReport } from '../shared/domain/manifest.ts';
import { CliError } from './cli-error.ts';
import type { Client } from './client.ts';
import { unknownBatch } from './follow.ts';
import { pastHours } from './past-hours.ts';

const reportSchema = z.object({
  manifest: z.string(),
  sha256: z.string(),
  badLines: z.enum(['refuse-all', 'skip-and-report']),
  lines: z.int(),
  endpoints: z.int(),
  faults: z.array(z.object({ line: z.int(), code: z.string(), sentence: z.string(), cure: z.string() })),
}) satisfies z.ZodType<ManifestReport>;

/**
 * What was wrong with which lines of a manifest.
 * @param name the batch that went without them, or the key of a manifest that was refused
 * @param sinceMs how long ago it may have been refused
 * @throws CliError `batch-unknown`, `report-unknown`; StepFailure as `Blobs.get`
 */
export async function findReport(client: Client, name: string, sinceMs: number): Promise<ManifestReport> {
  const check = isBatchId(name) ? await ofBatch(client, name) : await ofKey(client, name, sinceMs);
  return reportSchema.parse(await client.blobs.get(check));
}

async function ofBatch({ store }: Client, id: BatchId): Promise<ClaimCheck> {
  const batch = await store.load('batch', { id });
  if (batch === undefined) throw unknownBatch(id);
  if (batch.skipped !== undefined) return batch.skipped.report;
  throw new CliError({
    code: 'report-unknown',
    sentence: `Batch ${id} goes without no line of a manifest`,
    cure: `see what it is about: dray batch show ${id}`,
  });
}

/** Of the newest refusal of an object of that key. */
async function ofKey({ store, views, clock, manifests }: Client, key: string, sinceMs: number) {
  const refused = await pastHours(clock, sinceMs, (hour, cursor) => views.refusalsAt(hour, cursor));
  const source = bucketSource(manifests.bucket);
  const ours = refused.filter((each) => each.source === source && each.id.startsWith(refusedUnder(key)));
  const rows = await store.loadMany('request', ours);
  const report = rows.find((row) => row?.report !== undefined)?.report;
  if (report !== undefined) return report;
  throw new CliError({
    code: 'report-unknown',
    sentence: `No manifest ${key} with wrong lines was refused in that time`,
    cure: 'look for its key with dray refusals, and further back with --since 7d',
  });
}
