import type { IncomingHttpHeaders } from 'node:http';
import type { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js';
import type { ObjectChange } from './messaging-protocol.ts';

/** Sub-resources that the S3 server would misread as the object or bucket itself. */
const REFUSED = [
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'encryption',
  'inventory',
  'legal-hold',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'tagging',
  'torrent',
  'versioning',
  'versions',
  'website',
];

interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

function targetOf(url: string): Target {
  const parsed = new URL(url, 'http://local');
  const [, bucket = '', ...rest] = parsed.pathname.split('/');
  return { bucket, key: decodeURIComponent(rest.join('/')), query: parsed.searchParams };
}

/** The sentence that refuses a sub-resource which is not emulated, or nothing. */
export function refusedSubresource(method: string, url: string): string | undefined {
  const query = url.indexOf('?');
  if (query === -1) return undefined;
  const found = REFUSED.find((name) => targetOf(url).query.has(name));
  return found === undefined ? undefined : `${method} ?${found} is not emulated by the embedded cloud.`;
}

/** The reason why a conditional put must not happen (`If-None-Match`, `If-Match`), or nothing. */
export function conditionFails(
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  store: S3Store,
): string | undefined {
  const absent = headers['if-none-match'];
  const expected = headers['if-match'];
  if ((method !== 'PUT' && method !== 'POST') || (absent === undefined && expected === undefined))
    return undefined;
  const { bucket, key } = targetOf(url);
  const etag = stored(store, bucket, key)?.etag;
  if (absent === '*' && etag !== undefined) return 'The object exists already (If-None-Match: *).';
  if (expected !== undefined && etag?.replaceAll('"', '') !== expected.replaceAll('"', '')) {
    return 'The object is not the one named by If-Match.';
  }
  return undefined;
}

/** The event that a request which succeeded stands for, if any. */
export function objectChangeOf(
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  store: S3Store,
): ObjectChange | undefined {
  const { bucket, key, query } = targetOf(url);
  if (bucket === '' || key === '') return undefined;
  const event = eventOf(method, query, headers);
  if (event === undefined) return undefined;
  const object = event === 'ObjectRemoved:Delete' ? undefined : stored(store, bucket, key);
  return {
    kind: 'object',
    event,
    bucket,
    key,
    size: object?.contentLength ?? 0,
    etag: (object?.etag ?? '').replaceAll('"', ''),
  };
}

function eventOf(
  method: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): ObjectChange['event'] | undefined {
  if (method === 'PUT' && !query.has('partNumber') && !query.has('renameObject')) {
    return headers['x-amz-copy-source'] === undefined ? 'ObjectCreated:Put' : 'ObjectCreated:Copy';
  }
  if (method === 'POST' && query.has('uploadId')) return 'ObjectCreated:CompleteMultipartUpload';
  if (method === 'DELETE' && !query.has('uploadId')) return 'ObjectRemoved:Delete';
  return undefined;
}

function stored(store: S3Store, bucket: string, key: string): ReturnType<S3Store['headObject']> | undefined {
  try {
    return store.headObject(bucket, key);
  } catch {
    return undefined; // the object or its bucket is not there
  }
}
