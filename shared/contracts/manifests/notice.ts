import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { EventHead, Refusal } from '../../domain/event.ts';
import { bucketSource, refusedObject, type ManifestNotice } from '../../domain/manifest.ts';
import { refusalOf } from '../events/refusal.ts';
import { isPrintable, readUntrusted } from '../events/untrusted-json.ts';

/** What S3 sends once when it is told to send notices. */
const testEvent = z.object({
  Event: z.literal('s3:TestEvent'),
  Bucket: z.string().max(63),
  Time: z.string().max(64),
});

const someRecords = z.object({
  Records: z.array(z.unknown(), { error: 'a list of notices, as S3 sends them' }).min(1, {
    error: 'a list of at least one notice',
  }),
});

const keyRule = 'the key of an object, of 1 to 1,024 bytes, URL-encoded as S3 does it';

/** One thing that happened to an object. */
const aboutObject = z.object({
  eventSource: z.literal('aws:s3'),
  eventName: z.string({ error: 'what happened, e.g. "ObjectCreated:Put"' }).max(100),
  eventTime: z.string().max(64).optional(),
  s3: z.object({
    bucket: z.object({ name: z.string({ error: 'the name of a bucket' }).min(3).max(63) }),
    object: z.object({
      key: z
        .string({ error: keyRule })
        .min(1, { error: keyRule })
        .max(3_072, { error: keyRule })
        .transform((text, context) => decodeKey(text) ?? refuseKey(context)),
      // What was removed has none.
      eTag: z.string().max(128).optional(),
      versionId: z.string().max(1_024).optional(),
      sequencer: z.string().max(128).optional(),
    }),
  }),
});

/**
 * Reads what the bucket for manifests tells through its topic: a notice for each object. Never throws.
 * @param bucket the one that notices are taken of
 */
export function parseManifestNotices(text: string, bucket: string): readonly ManifestNotice[] {
  const read = readUntrusted(text);
  if (read.kind === 'refused') return [unreadable(text, read.refusal)];
  const test = testEvent.safeParse(read.value);
  if (test.success) return [{ kind: 'test', head: headOfTest(test.data, text) }];
  const records = someRecords.safeParse(read.value);
  if (!records.success) return [unreadable(text, noticeRefusal(refusalOf(records.error, read.value)))];
  return records.data.Records.map((record, nth) => {
    const parsed = aboutObject.safeParse(record);
    return parsed.success
      ? noticeOf(parsed.data, bucket)
      : unreadable(JSON.stringify(record), noticeRefusal(refusalOf(parsed.error, record, ['Records', nth])));
  });
}

function noticeOf(
  { eventName, eventTime = '', s3 }: z.output<typeof aboutObject>,
  bucket: string,
): ManifestNotice {
  const { key, eTag, versionId, sequencer } = s3.object;
  const object = {
    bucket: s3.bucket.name,
    key,
    etag: eTag ?? '',
    ...(versionId === undefined ? {} : { versionId }),
  };
  const head = refusedObject({ digest: sha256 }, object, `${eventName} ${sequencer ?? eventTime}`);
  const refused = (refusal: Refusal): ManifestNotice => ({ kind: 'refused', head, refusal });
  if (s3.bucket.name !== bucket) {
    return refused({
      code: 'notice-of-another-bucket',
      field: 's3.bucket.name',
      sentence: `The notice is about the bucket ${s3.bucket.name}; manifests are taken from ${bucket} only.`,
      cure: 'put manifests there, and take the topic out of the notifications of the other bucket',
    });
  }
  if (!eventName.startsWith('ObjectCreated:')) {
    return refused({
      code: 'notice-of-no-put',
      field: 'eventName',
      sentence: `Only what is put starts a batch, and this was ${eventName}; a batch that has begun has its own copy.`,
      cure: 'nothing to do; to stop a batch, ask for that',
    });
  }
  if (eTag === undefined) {
    return refused({
      code: 'field-missing',
      field: 's3.object.eTag',
      sentence: 'The field s3.object.eTag is missing: it cannot be told which content is meant.',
      cure: 'put the object again; only S3 itself should publish to this topic',
    });
  }
  return { kind: 'object', head, object };
}

/** Kept under what it says. */
function unreadable(text: string, refusal: Refusal): ManifestNotice {
  const bodyHash = sha256(text);
  const head = { source: 'unreadable on manifests', id: bodyHash.slice(0, 32), type: 'unknown', bodyHash };
  return { kind: 'refused', head, refusal };
}

function headOfTest({ Bucket, Time }: z.output<typeof testEvent>, text: string): EventHead {
  return { source: bucketSource(Bucket), id: `test ${Time}`, type: 's3:TestEvent', bodyHash: sha256(text) };
}

/** Only S3 publishes there: whoever reads this looks at what does it in S3's place. */
const noticeRefusal = (refusal: Refusal): Refusal => ({
  ...refusal,
  cure: 'only S3 itself should publish to this topic: put the object again',
});

/** A space is written "+". */
function decodeKey(text: string): string | undefined {
  try {
    const key = decodeURIComponent(text.replaceAll('+', ' '));
    return isPrintable(key) && Buffer.byteLength(key) <= 1_024 ? key : undefined;
  } catch {
    return undefined;
  }
}

function refuseKey(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: keyRule });
  return z.NEVER;
}

function sha256(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${String(Buffer.byteLength(part))}:${part}`);
  return hash.digest('hex');
}
