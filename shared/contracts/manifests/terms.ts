import * as z from 'zod';
import type { Refusal } from '../../domain/event.ts';
import type { ManifestFormat, ManifestTerms } from '../../domain/manifest.ts';
import { policyField } from '../events/policy.ts';
import { refusalOf } from '../events/refusal.ts';
import { isPrintable, readUntrusted } from '../events/untrusted-json.ts';
import { lineField } from '../fields.ts';

/** Names of metadata as S3 keeps them, behind `x-amz-meta-`. */
export const metadataNames = {
  reason: 'reason',
  badLines: 'bad-lines',
  policy: 'policy',
  requestId: 'request-id',
} as const;

const requestIdRule =
  'an id of 1 to 200 letters, digits, ".", "_", ":" or "-", other than that of other content';

const termsSchema = z.object({
  reason: lineField(500).refine(isPrintable, { error: 'a line without control characters' }).optional(),
  'bad-lines': z.enum(['refuse-all', 'skip-and-report']).default('refuse-all'),
  policy: policyField,
  'request-id': z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,200}$/, { error: requestIdRule })
    .optional(),
});

/** How an object came into the bucket. */
export interface ObjectHead {
  readonly key: string;
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Terms =
  | { readonly kind: 'terms'; readonly terms: ManifestTerms }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What an object's name, type and metadata ask for. Metadata of other names are other tools' own. Never throws. */
export function readTerms({ key, contentType = '', metadata }: ObjectHead): Terms {
  const format = formatOf(key, contentType);
  if (format === undefined) return { kind: 'refused', refusal: unknownFormat };
  const policyText = metadata[metadataNames.policy] ?? '';
  const policy = policyText === '' ? { kind: 'value' as const, value: undefined } : readUntrusted(policyText);
  if (policy.kind === 'refused') {
    const sentence = `The metadata x-amz-meta-policy cannot be read: ${policy.refusal.sentence}`;
    return { kind: 'refused', refusal: inMetadata({ ...policy.refusal, sentence }) };
  }
  const said = {
    ...pick(metadata, metadataNames.reason),
    ...pick(metadata, metadataNames.badLines),
    ...pick(metadata, metadataNames.requestId),
    ...(policy.value === undefined ? {} : { policy: policy.value }),
  };
  const parsed = termsSchema.safeParse(said);
  if (!parsed.success) return { kind: 'refused', refusal: inMetadata(refusalOf(parsed.error, said)) };
  const { reason, 'bad-lines': badLines, 'request-id': requestId, policy: read } = parsed.data;
  return {
    kind: 'terms',
    terms: {
      format,
      badLines,
      policy: read,
      policyText,
      ...(reason === undefined ? {} : { reason }),
      ...(requestId === undefined ? {} : { requestId }),
    },
  };
}

const formats: readonly (readonly [RegExp, RegExp, ManifestFormat])[] = [
  [/\.csv$/i, /^text\/csv\b/i, 'csv'],
  [/\.(?:jsonl|ndjson)$/i, /^application\/(?:x-)?(?:jsonl|jsonlines|json-lines|ndjson)\b/i, 'json-lines'],
];

/** By the name's ending; a name that tells nothing is told by the type. */
function formatOf(key: string, contentType: string): ManifestFormat | undefined {
  const byName = formats.find(([ending]) => ending.test(key));
  return (byName ?? formats.find(([, type]) => type.test(contentType)))?.[2];
}

const unknownFormat: Refusal = {
  code: 'manifest-format',
  field: 'key',
  sentence: 'The object is no manifest: neither its name nor its content type says CSV or JSON Lines.',
  cure: 'put it under a name that ends in .csv or .jsonl, uncompressed; or with content type text/csv or application/jsonl',
};

/** What to do, in the words of whoever puts an object. */
function inMetadata({ field, ...refusal }: Refusal): Refusal {
  return {
    ...refusal,
    field: `x-amz-meta-${field ?? metadataNames.policy}`,
    cure: 'correct the metadata and put the object again',
  };
}

function pick(metadata: ObjectHead['metadata'], name: string): Record<string, string> {
  const value = metadata[name];
  return value === undefined ? {} : { [name]: decodeWord(value) };
}

const encodedWord = /=\?utf-8\?([bq])\?([^?]*)\?=(?:\s+(?==\?))?/gi;

/** S3 gives what is not ASCII back as MIME's encoded words (RFC 2047), and takes it so. */
function decodeWord(text: string): string {
  return text.replace(encodedWord, (_whole, kind: string, body: string) =>
    kind.toLowerCase() === 'b' ? Buffer.from(body, 'base64').toString('utf8') : fromQuoted(body),
  );
}

const fromQuoted = (body: string): string =>
  Buffer.from(
    body
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/** A value for metadata, which are ASCII on their way. */
export const encodeWord = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
