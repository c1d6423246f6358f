import * as z from 'zod';
import type { RequestRecord } from '../../domain/request.ts';
import { hashOfPosting } from '../api/posting.ts';
import { batchIdField, claimCheckField, failureField, timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, hourOf, type Attribute, type RowCodec } from './row.ts';

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('request'),
  source: z.string(),
  id: z.string(),
  type: z.string(),
  /** Absent of what was posted to the API, which cannot calculate one. */
  bodyHash: z.exactOptional(z.string()),
  posted: z.exactOptional(z.string()),
  postedTo: z.exactOptional(z.string()),
  shard: z.exactOptional(z.string()),
  dueAt: z.exactOptional(timeField),
  reason: z.exactOptional(z.string()),
  outcome: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('pending') }),
    z.strictObject({ kind: z.literal('accepted'), batch: z.exactOptional(batchIdField) }),
    z.strictObject({ kind: z.literal('refused'), failure: failureField, field: z.exactOptional(z.string()) }),
  ]),
  report: z.exactOptional(claimCheckField),
  traceparent: z.exactOptional(z.string()),
  receivedAt: timeField,
  hour: z.exactOptional(z.string()),
  createdAt: z.exactOptional(timeField),
  expiresAt: z.exactOptional(timeField),
});

/** Refusals by the hour in which they were received, as the index `byTime` has them. */
export const refusalsOfHour = (hour: string): string => `refused#${hour}`;

/** Whoever sends rubbish for ever shall not fill the table. Epoch seconds, as the table's time to live wants them. */
const keptDays = 90;
const expiryOf = (receivedAt: number): number => Math.ceil(receivedAt / 1_000) + keptDays * 86_400;

/** API Gateway, which makes these rows, cannot calculate a shard; requests are few. */
const shardOfPosted = '00';

/**
 * A request: source and id stand in two keys, so that no source and id can be taken for another pair. A refused one
 * is found by the hour, and goes by itself after a while.
 */
export const requestRow: RowCodec<Pick<RequestRecord, 'source' | 'id'>, RequestRecord> = {
  kind: 'request',
  key: ({ source, id }) => ({ pk: `REQUEST#${source}`, sk: `REQUEST#${id}` }),
  keyOf: ({ pk, sk }) => ({ source: afterPrefix('REQUEST#', pk), id: afterPrefix('REQUEST#', sk) }),
  encode: ({ posted, ...request }) => ({
    ...requestRow.key(request),
    ...request,
    posted: posted?.body,
    postedTo: posted?.to,
    shard: posted === undefined ? undefined : shardOfPosted,
    dueAt: posted === undefined || request.outcome.kind !== 'pending' ? undefined : request.receivedAt,
    outcome: encodeOutcome(request.outcome),
    report: request.report === undefined ? undefined : { ...request.report },
    kind: 'request',
    ...(request.outcome.kind === 'refused'
      ? {
          hour: refusalsOfHour(hourOf(request.receivedAt)),
          createdAt: request.receivedAt,
          expiresAt: expiryOf(request.receivedAt),
        }
      : {}),
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      hour: _hour,
      createdAt: _createdAt,
      expiresAt: _expiresAt,
      shard: _shard,
      dueAt: _dueAt,
      posted: body,
      postedTo: to,
      bodyHash,
      ...request
    } = readRow(schema, row);
    const posted = body === undefined || to === undefined ? undefined : { to, body };
    return asRecord<RequestRecord>()({
      ...request,
      bodyHash: bodyHash ?? (posted === undefined ? '' : hashOfPosting({ ...request, ...posted })),
      ...(posted === undefined ? {} : { posted }),
    });
  },
  kept: [],
  // A repeat of what was posted makes it due again, whatever has become of it.
  rewritten: (_, { posted }) => (posted === undefined ? [] : ['dueAt']),
};

function encodeOutcome(outcome: RequestRecord['outcome']): Attribute {
  return outcome.kind === 'refused' ? { ...outcome, failure: { ...outcome.failure } } : { ...outcome };
}
