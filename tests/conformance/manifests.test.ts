import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createManifestBox } from '../../cli/manifest-box.ts';
import { createS3Client } from '../../shared/aws/clients.ts';
import { createManifests } from '../../shared/aws/manifests.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { ManifestObject } from '../../shared/domain/manifest.ts';
import { startTestMessaging, type TestServer } from '../support/test-messaging.ts';
import { localClient } from '../support/test-table.ts';

const bucket = 'manifests';
let server: TestServer;
let client: S3Client;

beforeAll(async () => {
  server = await startTestMessaging();
  client = createS3Client(localClient(server.endpoint));
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

const put = (key: string, body: string | Uint8Array, metadata: Record<string, string> = {}) =>
  createManifestBox({ client, bucket }).put(key, Buffer.from(body), {
    contentType: 'application/octet-stream',
    metadata,
  });

async function contentOf(object: ManifestObject, pieceBytes?: number): Promise<Buffer> {
  const manifests = createManifests({ client, ...(pieceBytes === undefined ? {} : { pieceBytes }) });
  const pieces: Uint8Array[] = [];
  for await (const piece of (await manifests.open(object)).chunks()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('an object in the bucket for manifests', () => {
  test('is read in pieces, all of it, with what was put beside it', async () => {
    const body = 'endpoint\nshop\nblog\n';
    const object = await put('a b/ü.csv', body, { reason: 'für Rack 7' });
    for (const pieceBytes of [1, 5, body.length, 1_000])
      expect(String(await contentOf(object, pieceBytes))).toBe(body);
    expect(await createManifests({ client }).open(object)).toMatchObject({
      bytes: body.length,
      terms: { kind: 'terms', terms: { format: 'csv', reason: 'für Rack 7' } },
    });
  });

  test('may be empty, and may be so large that it comes in parts', async () => {
    expect(await contentOf(await put('empty.csv', ''))).toHaveLength(0);
    const body = Buffer.alloc(19_000_000, 'tenant-1,host-2\n');
    expect((await contentOf(await put('large.csv', body))).equals(body)).toBe(true);
  });

  test('that was put over is not read, neither from its beginning nor on from where it was', async () => {
    const object = await put('edited.csv', 'endpoint\nshop\n');
    const manifests = createManifests({ client, pieceBytes: 5 });
    const chunks = (await manifests.open(object)).chunks()[Symbol.asyncIterator]();
    await chunks.next();
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'edited.csv', Body: 'endpoint\nblog\n' }));
    await expect(chunks.next()).rejects.toMatchObject({ failure: { code: 'manifest-changed' } });
    await expect(manifests.open(object)).rejects.toMatchObject({ failure: { code: 'manifest-changed' } });
  });

  test('that is gone is said to be gone', async () => {
    const object = await put('gone.csv', 'endpoint\nshop\n');
    const manifests = createManifests({ client, pieceBytes: 5 });
    const chunks = (await manifests.open(object)).chunks()[Symbol.asyncIterator]();
    await chunks.next();
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone.csv' }));
    await expect(chunks.next()).rejects.toMatchObject({ failure: { code: 'manifest-gone' } });
    await expect(manifests.open(object)).rejects.toMatchObject({ failure: { code: 'manifest-gone' } });
  });

  test('of a bucket that does not answer is asked for again later', async () => {
    const nowhere = createS3Client({ ...localClient('http://127.0.0.1:1'), requestMs: 100 });
    const object = { bucket, key: 'a.csv', etag: 'e' };
    await expect(createManifests({ client: nowhere }).open(object)).rejects.toBeInstanceOf(StoreUnavailable);
    nowhere.destroy();
  });
});
