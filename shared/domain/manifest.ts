import type { EventHead, Refusal } from './event.ts';
import type { Failure } from './failure.ts';
import type { EndpointName, HostName } from './ids.ts';
import type { BatchPolicy } from './policy.ts';

/** The most endpoints that one manifest names. */
export const mostEndpoints = 100_000;
/** With more bad lines than this it is not a manifest with bad lines, but something else. */
export const mostFaults = 10_000;

/** Bytes: more cannot be a hundred thousand names. */
export const largestManifest = 256 * 1_048_576;

/** `csv`: a header and a line each; `json-lines`: an object a line. */
export type ManifestFormat = 'csv' | 'json-lines';

/** What becomes of the good lines when others are bad. */
export type BadLines = 'refuse-all' | 'skip-and-report';

/** What a manifest's metadata says of the batch that is to come of it. */
export interface ManifestTerms {
  readonly format: ManifestFormat;
  readonly badLines: BadLines;
  readonly reason?: string;
  readonly policy: BatchPolicy;
  /** The policy as it was written: part of what the request is. */
  readonly policyText: string;
  /** By which its publisher tells it from another with the same content. */
  readonly requestId?: string;
}

/** An object in the bucket for manifests, as it was put. */
export interface ManifestObject {
  readonly bucket: string;
  readonly key: string;
  /** Its content: what was put over it since is another manifest. */
  readonly etag: string;
  /** In a bucket that keeps versions. */
  readonly versionId?: string;
}

/** A line that asks for an endpoint to be moved. */
export interface ManifestEntry {
  /** From 1; the header of a CSV counts. */
  readonly line: number;
  readonly endpoint: EndpointName;
  readonly target?: HostName;
}

/** What is wrong with a line. */
export interface LineFault extends Failure {
  readonly line: number;
}

/** What is kept of a manifest of which lines were bad: all of them, while there are not too many. */
export interface ManifestReport {
  readonly manifest: string;
  readonly sha256: string;
  readonly badLines: BadLines;
  /** Lines that were read, and endpoints that were good. */
  readonly lines: number;
  readonly endpoints: number;
  readonly faults: readonly LineFault[];
}

/** A notice of the bucket: that an object was put, or that notices will come. */
export type ManifestNotice =
  | { readonly kind: 'object'; readonly head: EventHead; readonly object: ManifestObject }
  | { readonly kind: 'test'; readonly head: EventHead }
  | { readonly kind: 'refused'; readonly head: EventHead; readonly refusal: Refusal };

/** Makes an identity of what it stands for. */
interface Digester {
  digest(...parts: readonly string[]): string;
}

/** The publisher of what is put into a bucket. */
export const bucketSource = (bucket: string): string => `s3://${bucket}`;

const type = 'manifest.put';

/**
 * The request that a manifest makes: by its content, so that the same content under another key, or put once more,
 * is the same request.
 *
 * @param sha256 of its content
 */
export function requestOf(
  digester: Digester,
  bucket: string,
  sha256: string,
  { format, badLines, reason = '', policyText, requestId }: ManifestTerms,
): EventHead {
  return {
    source: bucketSource(bucket),
    id: requestId ?? sha256,
    type,
    bodyHash: digester.digest(type, sha256, format, badLines, reason, policyText),
  };
}

const longestShownKey = 200;

/**
 * Where it is kept why an object became no request. There are spaces in it, so that it is no publisher's own id.
 *
 * @param occasion tells one putting of the same bytes under the same key from the next
 */
export function refusedObject(
  digester: Digester,
  { bucket, key, etag, versionId = '' }: ManifestObject,
  occasion: string,
): EventHead {
  return {
    source: bucketSource(bucket),
    id: `${refusedUnder(key)}${digester.digest(key, etag, versionId).slice(0, 16)}`,
    type,
    bodyHash: digester.digest(type, key, etag, versionId, occasion),
  };
}

/** How the id begins under which a refusal of a key is kept. */
export const refusedUnder = (key: string): string =>
  `object ${Array.from(key).slice(0, longestShownKey).join('')} `;
