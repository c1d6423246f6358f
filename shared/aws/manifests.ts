import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { readTerms } from '../contracts/manifests/terms.ts';
import { StepFailure } from '../domain/failure.ts';
import type { ManifestObject } from '../domain/manifest.ts';
import type { Manifests } from '../ports/manifests.ts';
import { asPortError } from './trouble.ts';

export interface ManifestsOptions {
  readonly client: S3Client;
  /** Bytes that are asked for at once. By default 1 MiB. */
  readonly pieceBytes?: number;
}

/**
 * Objects that publishers have put. They are read in pieces, and each piece is asked for with the ETag of the notice:
 * what was put over the object meanwhile answers none of them.
 */
export function createManifests({ client, pieceBytes = 1_048_576 }: ManifestsOptions): Manifests {
  return {
    async open(object) {
      const head = await asking(object, () => client.send(new HeadObjectCommand(addressOf(object))));
      if (head.ETag !== quoted(object.etag)) throw changed(object);
      const bytes = head.ContentLength ?? 0;
      return {
        bytes,
        terms: readTerms({
          key: object.key,
          metadata: head.Metadata ?? {},
          ...(head.ContentType === undefined ? {} : { contentType: head.ContentType }),
        }),
        chunks: () => pieces(object, bytes),
      };
    },
  };

  async function* pieces(object: ManifestObject, bytes: number): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes; from += pieceBytes) {
      const to = Math.min(bytes, from + pieceBytes) - 1;
      const Range = `bytes=${String(from)}-${String(to)}`;
      yield await asking(object, async () => {
        const { Body } = await client.send(new GetObjectCommand({ ...addressOf(object), Range }));
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      });
    }
  }
}

const addressOf = ({ bucket, key, etag, versionId }: ManifestObject) => ({
  Bucket: bucket,
  Key: key,
  IfMatch: quoted(etag),
  ...(versionId === undefined ? {} : { VersionId: versionId }),
});

const quoted = (etag: string): string => `"${etag}"`;

const answered = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

/** @throws StepFailure `manifest-changed`, `manifest-gone`; StoreUnavailable */
async function asking<T>(object: ManifestObject, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    // A question for the head alone is answered without words.
    const parsed = answered.safeParse(error);
    const status = parsed.success ? parsed.data.$metadata.httpStatusCode : undefined;
    if (status === 412) throw changed(object);
    // Who may not list a bucket, as our roles may not, is answered "access denied" for what is not there.
    if (status === 404 || status === 403) throw gone(object);
    throw asPortError(error, 'the bucket for manifests');
  }
}

const changed = ({ bucket, key }: ManifestObject): StepFailure =>
  new StepFailure(
    {
      code: 'manifest-changed',
      sentence: `object ${key} in bucket ${bucket} was put again before it was read to its end`,
      cure: 'nothing to do if it was put again on purpose: what lies there now has a notice of its own',
    },
    'fail',
  );

const gone = ({ bucket, key }: ManifestObject): StepFailure =>
  new StepFailure(
    {
      code: 'manifest-gone',
      sentence: `bucket ${bucket} has no object ${key} any more, or none that may be read`,
      cure: 'put it again and leave it there until its batch has begun; a key of its own to encrypt it is not read',
    },
    'fail',
  );
