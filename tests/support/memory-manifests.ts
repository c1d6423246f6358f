import { createHash } from 'node:crypto';
import { readTerms } from '../../shared/contracts/manifests/terms.ts';
import { StepFailure } from '../../shared/domain/failure.ts';
import type { ManifestObject } from '../../shared/domain/manifest.ts';
import type { Manifests, OpenManifest } from '../../shared/ports/manifests.ts';

interface Stored {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

/** The bucket for manifests in memory, and the notices that it sends. Bodies are read in pieces of a few bytes. */
export class MemoryManifests implements Manifests {
  /** Asked before each piece: a test can put something over the object, or delete it. */
  beforePiece: (nth: number) => void = () => undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #bucket: string;
  readonly #pieceBytes: number;
  #puts = 0;

  constructor(bucket: string, pieceBytes = 7) {
    this.#bucket = bucket;
    this.#pieceBytes = pieceBytes;
  }

  /** Puts an object. @returns the notice of it, as S3 sends it */
  put(
    key: string,
    body: string | Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
    contentType?: string,
  ): string {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const etag = createHash('md5').update(bytes).digest('hex');
    this.#objects.set(key, {
      body: bytes,
      etag,
      metadata,
      ...(contentType === undefined ? {} : { contentType }),
    });
    this.#puts += 1;
    return noticeText({ bucket: this.#bucket, key, etag, sequencer: String(this.#puts) });
  }

  delete(key: string): void {
    this.#objects.delete(key);
  }

  async open(object: ManifestObject): Promise<OpenManifest> {
    const { body, metadata, contentType } = this.#find(object);
    await Promise.resolve();
    return {
      bytes: body.length,
      terms: readTerms({
        key: object.key,
        metadata,
        ...(contentType === undefined ? {} : { contentType }),
      }),
      chunks: () => this.#pieces(object, body.length),
    };
  }

  async *#pieces(object: ManifestObject, bytes: number): AsyncGenerator<Uint8Array> {
    let nth = 0;
    for (let from = 0; from < bytes; from += this.#pieceBytes) {
      this.beforePiece(nth);
      nth += 1;
      await Promise.resolve();
      yield this.#find(object).body.subarray(from, from + this.#pieceBytes);
    }
  }

  #find({ key, etag }: ManifestObject): Stored {
    const stored = this.#objects.get(key);
    if (stored === undefined) throw failure('manifest-gone', `there is no object ${key}`);
    if (stored.etag !== etag) throw failure('manifest-changed', `object ${key} was put again`);
    return stored;
  }
}

const failure = (code: string, sentence: string): StepFailure =>
  new StepFailure({ code, sentence, cure: 'put it again' }, 'fail');

/** What S3 sends of an object that was put. */
export function noticeText(
  {
    bucket,
    key,
    etag,
    sequencer,
  }: { readonly bucket: string; readonly key: string; readonly etag: string; readonly sequencer: string },
  eventName = 'ObjectCreated:Put',
): string {
  return JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'eu-central-1',
        eventTime: '2026-11-21T09:00:00.000Z',
        eventName,
        userIdentity: { principalId: 'AWS:ANNA' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'notices',
          bucket: { name: bucket, ownerIdentity: { principalId: 'A' }, arn: `arn:aws:s3:::${bucket}` },
          object: {
            key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
            size: 1,
            eTag: etag,
            sequencer,
          },
        },
      },
    ],
  });
}
