import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import stringify from 'fast-json-stable-stringify';
import type { ClaimCheck } from '../domain/batch.ts';
import { StepFailure } from '../domain/failure.ts';
import type { Blobs } from '../ports/blobs.ts';
import { asPortError } from './trouble.ts';

export interface BlobsOptions {
  readonly client: S3Client;
  readonly bucket: string;
}

/** Claim checks in a bucket, keyed by the hash of their canonical JSON: to store one twice changes nothing. */
export function createBlobs({ client, bucket }: BlobsOptions): Blobs {
  return {
    async put(value) {
      const body = Buffer.from(canonical(value));
      const digest = sha256(body);
      const sha = digest.toString('hex');
      const key = `claims/${sha}`;
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentType: 'application/json',
            // The service refuses a body that was damaged on its way.
            ChecksumSHA256: digest.toString('base64'),
          }),
        );
      } catch (error) {
        throw asPortError(error, 'the bucket');
      }
      return { key, sha256: sha, bytes: body.length };
    },

    async get(check) {
      const body = await read(check);
      if (body.length !== check.bytes || sha256(body).toString('hex') !== check.sha256)
        throw altered(check, bucket);
      return readJson(body, check, bucket);
    },
  };

  async function read(check: ClaimCheck): Promise<Buffer> {
    try {
      const { Body, ContentLength } = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: check.key }),
      );
      if (ContentLength !== undefined && ContentLength !== check.bytes) {
        // Whoever refers to a few bytes shall not make us read gigabytes.
        await Body?.transformToWebStream().cancel();
        throw altered(check, bucket);
      }
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    } catch (error) {
      if (error instanceof StepFailure) throw error;
      if (isAbsent(error)) throw missing(check, bucket);
      throw asPortError(error, 'the bucket');
    }
  }
}

/** One text for one value, whatever the order of its keys. @throws RangeError for what is no JSON */
export function canonical(value: unknown): string {
  const text: unknown = stringify(value);
  if (typeof text === 'string') return text;
  throw new RangeError(`a ${typeof value} is no JSON value and cannot be kept`);
}

const sha256 = (body: Buffer): Buffer => createHash('sha256').update(body).digest();

const absentNames = new Set(['NoSuchKey', 'NotFound', 'AccessDenied', 'Forbidden']);

/** Who may not list a bucket, as our roles may not, is answered "access denied" for what is not there. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && absentNames.has(error.name);
}

/** @throws StepFailure `claim-check-not-json` */
function readJson(body: Buffer, { key }: ClaimCheck, bucket: string): unknown {
  try {
    const value: unknown = JSON.parse(body.toString());
    return value;
  } catch (cause) {
    throw new StepFailure(
      {
        code: 'claim-check-not-json',
        sentence: `object ${key} in bucket ${bucket} is not JSON`,
        cure: 'upload it as JSON, and publish the request again with the hash of that',
      },
      'fail',
      { cause },
    );
  }
}

function missing({ key }: ClaimCheck, bucket: string): StepFailure {
  return new StepFailure(
    {
      code: 'claim-check-missing',
      sentence: `bucket ${bucket} has no object ${key}, or none that may be read`,
      cure: "upload it again under that key, or look at the bucket's policy and lifecycle rules",
    },
    'fail',
  );
}

function altered({ key, sha256: expected }: ClaimCheck, bucket: string): StepFailure {
  return new StepFailure(
    {
      code: 'claim-check-altered',
      sentence: `object ${key} in bucket ${bucket} has not the content whose SHA-256 is ${expected}`,
      cure: 'upload the content that was referred to, or publish the request again with the hash of what is there',
    },
    'fail',
  );
}
