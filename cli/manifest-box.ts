import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { asPortError } from '../shared/aws/trouble.ts';
import { encodeWord } from '../shared/contracts/manifests/terms.ts';
import type { ManifestObject } from '../shared/domain/manifest.ts';

/** What is put beside a manifest: its metadata, as the contract names them. */
export interface Enclosed {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bucket for manifests, as publishers see it. */
export interface ManifestBox {
  readonly bucket: string;
  /** Puts a manifest under a key. @throws StoreUnavailable */
  put(key: string, body: Uint8Array, enclosed: Enclosed): Promise<ManifestObject>;
}

/** Larger bodies go in parts. */
const partBytes = 8 * 1_048_576;

export function createManifestBox({
  client,
  bucket,
}: {
  readonly client: S3Client;
  readonly bucket: string;
}): ManifestBox {
  return {
    bucket,
    async put(key, body, { contentType, metadata }) {
      const target = { Bucket: bucket, Key: key };
      const head = {
        ...target,
        ContentType: contentType,
        Metadata: Object.fromEntries(
          Object.entries(metadata).map(([name, value]) => [name, encodeWord(value)]),
        ),
      };
      try {
        const { ETag = '' } =
          body.length <= partBytes
            ? await client.send(new PutObjectCommand({ ...head, Body: body }))
            : await putInParts(target, head, body);
        return { bucket, key, etag: ETag.replaceAll('"', '') };
      } catch (error) {
        throw asPortError(error, 'the bucket for manifests');
      }
    },
  };

  async function putInParts(
    target: { readonly Bucket: string; readonly Key: string },
    head: ConstructorParameters<typeof CreateMultipartUploadCommand>[0],
    body: Uint8Array,
  ) {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(head));
    const upload = { ...target, UploadId };
    try {
      const Parts: CompletedPart[] = [];
      for (let from = 0; from < body.length; from += partBytes) {
        const PartNumber = Parts.length + 1;
        const Body = body.subarray(from, from + partBytes);
        const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
        Parts.push({ PartNumber, ETag });
      }
      return await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    } catch (error) {
      // Best effort: what is left of it goes by itself after a day.
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }
}
