import type { ClaimCheck, Pair } from '../../domain/batch.ts';
import type { EventHead, Refusal } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import {
  bucketSource,
  largestManifest,
  requestOf,
  type ManifestEntry,
  type ManifestNotice,
  type ManifestObject,
  type ManifestReport,
  type ManifestTerms,
} from '../../domain/manifest.ts';
import { priorities } from '../../domain/priority.ts';
import type { Manifests, OpenManifest } from '../../ports/manifests.ts';
import type { Services } from '../services.ts';
import { windowRefusal } from '../requests/check-window.ts';
import { batchIdOf, openBatch } from '../requests/open-batch.ts';
import { recordRefusal, recordRequest, Refused, wasRefused } from '../requests/record-request.ts';
import { readManifest, type ManifestReading } from './read-manifest.ts';

type IngestServices = Pick<
  Services,
  'store' | 'blobs' | 'bus' | 'clock' | 'calendar' | 'chance' | 'log' | 'tracer'
> & {
  readonly manifests: Manifests;
};

/** Bad lines that a refusal names itself; its report has all. */
const fewFaults = 5;

/**
 * Takes one notice of the bucket for manifests. What was put is read, checked line by line, and copied; a batch comes
 * of it once, however often it is put or told. An object that makes no batch is kept as refused, with the reason; the
 * same content is looked at anew when it is put again, for what was wrong may have been the world.
 */
export async function ingestManifest(services: IngestServices, notice: ManifestNotice): Promise<void> {
  switch (notice.kind) {
    case 'test':
      await recordRequest(services, notice.head, () => Promise.resolve({}));
      return;
    case 'refused':
      await recordRefusal(services, notice.head, notice.refusal);
      return;
    case 'object':
      await ingestObject(services, notice.head, notice.object);
      return;
    default:
      return notice satisfies never;
  }
}

async function ingestObject(
  services: IngestServices,
  head: EventHead,
  object: ManifestObject,
): Promise<void> {
  // What was in its way may be gone; this putting of it stays refused, the next is looked at anew.
  if (await wasRefused(services, head)) return;
  try {
    const manifest = await services.manifests.open(object);
    const terms = termsOf(manifest);
    await take(services, head, object, terms, await readManifest(services, manifest, terms.format));
  } catch (error) {
    if (error instanceof Refused) await recordRefusal(services, head, error.refusal);
    else if (error instanceof StepFailure && error.verdict === 'fail')
      await recordRefusal(services, head, error.failure);
    else throw error;
  }
}

/** @throws Refused */
function termsOf({ bytes, terms }: OpenManifest): ManifestTerms {
  if (terms.kind === 'refused') throw new Refused(terms.refusal);
  if (bytes <= largestManifest) return terms.terms;
  throw new Refused({
    code: 'manifest-too-large',
    sentence: `The object has ${String(bytes)} bytes, and a manifest at most ${String(largestManifest)}.`,
    cure: 'divide it into several manifests',
  });
}

/**
 * The batch is opened before its request is closed, and its id is made of the request: a delivery that died in
 * between is known by the batch, whatever has become of its endpoints since.
 */
async function take(
  services: IngestServices,
  head: EventHead,
  object: ManifestObject,
  terms: ManifestTerms,
  reading: ManifestReading,
): Promise<void> {
  const { store, chance } = services;
  const request = requestOf(chance, object.bucket, reading.sha256, terms);
  const held = await store.load('request', request);
  const isAnother = held !== undefined && held.bodyHash !== request.bodyHash;
  const batch = batchIdOf(services, request);
  if (!isAnother && (await store.load('batch', { id: batch })) === undefined) {
    const report = await keepReport(services, object, terms, reading);
    const refusal = refusalOf(object, terms, reading) ?? windowRefusal(services, terms.policy);
    if (refusal !== undefined) {
      await recordRefusal(services, head, refusal, report);
      return;
    }
    const { reason = `manifest ${object.key.slice(0, 400)}`, policy } = terms;
    const selection = { kind: 'pairs', pairs: reading.entries.map(pairOf) } as const;
    const skipped = report === undefined ? {} : { skipped: { lines: reading.faults.length, report } };
    await openBatch(services, request, {
      reason,
      policy,
      priority: priorities.requested,
      selection,
      ...skipped,
    });
  }
  await recordRequest(services, request, () => Promise.resolve({ batch }));
}

const pairOf = ({ endpoint, target }: ManifestEntry): Pair =>
  target === undefined ? { endpoint } : { endpoint, target };

/** What is wrong with which lines, if anything is. */
async function keepReport(
  { blobs }: IngestServices,
  { bucket, key }: ManifestObject,
  { badLines }: ManifestTerms,
  { sha256, lines, entries, faults }: ManifestReading,
): Promise<ClaimCheck | undefined> {
  if (faults.length === 0) return undefined;
  const manifest = `${bucketSource(bucket)}/${key}`;
  const report: ManifestReport = { manifest, sha256, badLines, lines, endpoints: entries.length, faults };
  return blobs.put(report);
}

/** Why no batch comes of it. */
function refusalOf(
  { key }: ManifestObject,
  { badLines }: ManifestTerms,
  { refusal, faults, entries, lines }: ManifestReading,
): Refusal | undefined {
  if (refusal !== undefined) return refusal;
  const [first] = faults;
  if (first === undefined || (badLines === 'skip-and-report' && entries.length > 0)) return undefined;
  const shown = faults.slice(0, fewFaults).map(({ sentence }) => sentence);
  const rest = faults.length - shown.length;
  const are = faults.length === 1 ? 'is' : 'are';
  const skip =
    entries.length === 0 ? '' : '; or put it with x-amz-meta-bad-lines: skip-and-report to go without them';
  return {
    code: 'manifest-lines',
    field: `line ${String(first.line)}`,
    sentence: `${String(faults.length)} of ${String(lines)} lines ${are} wrong: ${shown.join('; ')}${rest === 0 ? '' : `; and ${String(rest)} more`}.`,
    cure: `correct them (dray manifest report ${key.slice(0, 200)} has all of them, each with its cure) and put the file again${skip}`,
  };
}
