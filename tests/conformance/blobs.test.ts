import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { createBlobs } from '../../shared/aws/blobs.ts';
import { createS3Client } from '../../shared/aws/clients.ts';
import type { Blobs } from '../../shared/ports/blobs.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { anyJson } from '../support/arbitraries.ts';
import { startAnsweringServer } from '../support/answering-server.ts';
import { MemoryBlobs } from '../support/memory-blobs.ts';
import { startTestMessaging, type TestServer } from '../support/test-messaging.ts';
import { localClient } from '../support/test-table.ts';

interface Opened {
  readonly blobs: Blobs;
  /** Changes an object behind the port's back. */
  readonly alter: (key: string, text: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const subjects: readonly { readonly name: string; readonly open: () => Promise<Opened> }[] = [
  { name: 'memory', open: openMemory },
  { name: 'a bucket', open: openBucket },
];

async function openMemory(): Promise<Opened> {
  const blobs = new MemoryBlobs();
  const alter = async (key: string, text: string): Promise<void> => {
    blobs.contents.set(key, text);
    await Promise.resolve();
  };
  return await Promise.resolve({ blobs, alter, close: async () => await Promise.resolve() });
}

async function openBucket(): Promise<Opened> {
  const server: TestServer = await startTestMessaging();
  const client: S3Client = createS3Client(localClient(server.endpoint));
  await client.send(new CreateBucketCommand({ Bucket: 'claims' }));
  return {
    blobs: createBlobs({ client, bucket: 'claims' }),
    alter: async (Key, Body) => {
      await client.send(new PutObjectCommand({ Bucket: 'claims', Key, Body }));
    },
    close: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

describe.each(subjects)('claim checks in $name', ({ open }) => {
  let opened: Opened;
  let blobs: Blobs;
  beforeAll(async () => {
    opened = await open();
    ({ blobs } = opened);
  });
  afterAll(async () => {
    await opened.close();
  });

  test('give back what was put', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, async (value) => {
        const check = await blobs.put(value);
        expect(check.key).toBe(`claims/${check.sha256}`);
        expect(JSON.stringify(await blobs.get(check))).toBe(JSON.stringify(sorted(value)));
      }),
      { numRuns: 25 },
    );
  });

  test('are the same for the same value, whatever the order of its keys', async () => {
    expect(await blobs.put({ b: [1, { d: 4, c: 3 }], a: 'x' })).toEqual(
      await blobs.put({ a: 'x', b: [1, { c: 3, d: 4 }] }),
    );
  });

  test('hold a selection of a hundred thousand endpoints', async () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `tenant-${String(index)}.database`);
    const check = await blobs.put(names);
    expect(check.bytes).toBeGreaterThan(2_000_000);
    expect(await blobs.get(check)).toEqual(names);
  });

  test('that are missing are said to be', async () => {
    const check = { key: 'claims/none', sha256: 'ab', bytes: 1 };
    await expect(blobs.get(check)).rejects.toMatchObject({
      failure: { code: 'claim-check-missing' },
      verdict: 'fail',
    });
  });

  test.each([
    ['shorter', '{"drain":"nothing"}'],
    ['of the same length', '{"drain":"somethings"}'],
  ])('that were altered are refused: %s', async (_, altered) => {
    const check = await blobs.put({ drain: 'everything' });
    await opened.alter(check.key, altered);
    await expect(blobs.get(check)).rejects.toMatchObject({ failure: { code: 'claim-check-altered' } });
  });

  test('that are no JSON are refused', async () => {
    const check = await blobs.put('not json');
    const body = 'not json';
    await opened.alter('uploads/text', body);
    const sha256 = createHash('sha256').update(body).digest('hex');
    await expect(
      blobs.get({ ...check, key: 'uploads/text', sha256, bytes: body.length }),
    ).rejects.toMatchObject({
      failure: { code: 'claim-check-not-json' },
      verdict: 'fail',
    });
  });

  test('that others have stored under a key of their own are read by their hash', async () => {
    const check = await blobs.put({ mine: true });
    await opened.alter('uploads/selection.json', '{"mine":true}');
    expect(await blobs.get({ ...check, key: 'uploads/selection.json' })).toEqual({ mine: true });
  });

  test('are not made of what is no JSON', async () => {
    await expect(blobs.put(undefined)).rejects.toThrow(RangeError);
  });
});

describe('a bucket that answers', () => {
  const check = { key: 'claims/none', sha256: 'ab', bytes: 1 };

  async function asking<T>(
    answer: (response: ServerResponse) => void,
    ask: (blobs: Blobs) => Promise<T>,
  ): Promise<T> {
    const server = await startAnsweringServer(answer);
    const client = createS3Client(localClient(server.endpoint));
    try {
      return await ask(createBlobs({ client, bucket: 'claims' }));
    } finally {
      client.destroy();
      await server.close();
    }
  }

  const error = (status: number, code: string) => (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

  test('"access denied" has not the object: who may not list it is told no more', async () => {
    await asking(error(403, 'AccessDenied'), async (blobs) => {
      await expect(blobs.get(check)).rejects.toMatchObject({
        failure: { code: 'claim-check-missing' },
        verdict: 'fail',
      });
    });
  });

  test('"slow down" is unavailable', async () => {
    await asking(error(503, 'SlowDown'), async (blobs) => {
      await expect(blobs.get(check)).rejects.toThrow(StoreUnavailable);
    });
  });

  test('with more than was referred to is not read to its end', async () => {
    const whole = 200_000_000;
    const [piece, sent] = [Buffer.alloc(100_000), { bytes: 0 }];
    const pour = (response: ServerResponse): void => {
      while (sent.bytes < whole) {
        sent.bytes += piece.length;
        if (!response.write(piece)) {
          response.once('drain', () => {
            pour(response);
          });
          return;
        }
      }
      response.end();
    };
    await asking(
      (response) => {
        response.writeHead(200, { 'content-length': whole });
        pour(response);
      },
      async (blobs) => {
        await expect(blobs.get(check)).rejects.toMatchObject({ failure: { code: 'claim-check-altered' } });
      },
    );
    expect(sent.bytes).toBeLessThan(whole / 4);
  });
});

test('a bucket that cannot be reached is unavailable', async () => {
  const client = createS3Client(localClient('http://127.0.0.1:1'));
  const blobs = createBlobs({ client, bucket: 'claims' });
  await expect(blobs.put({})).rejects.toThrow(StoreUnavailable);
  client.destroy();
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
