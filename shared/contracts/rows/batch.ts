import * as z from 'zod';
import type { Batch } from '../../domain/batch.ts';
import { batchId } from '../../domain/ids.ts';
import { moveLabels, type MoveLabel } from '../../domain/move.ts';
import {
  batchIdField,
  batchPolicyField,
  claimCheckField,
  countField,
  cutoverField,
  encodeCutover,
  encodeHold,
  encodePause,
  endpointField,
  failureField,
  holdField,
  pauseFields,
  timeField,
} from './fields.ts';
import { shardOf } from '../../domain/shards.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, type Attribute, type RowCodec } from './row.ts';

const figure = z.exactOptional(z.int());

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('batch'),
  listing: z.literal('batch'),
  /** Batches of earlier releases have none. */
  hour: z.exactOptional(z.string()),
  shard: z.string(),
  dueAt: z.exactOptional(timeField),
  id: batchIdField,
  requestSource: z.string(),
  requestId: z.string(),
  reason: z.string(),
  selection: claimCheckField,
  priority: z.int(),
  policy: batchPolicyField,
  state: z.enum(['planning', 'running', 'completed']),
  planned: countField,
  total: z.exactOptional(countField),
  resolved: z.exactOptional(claimCheckField),
  plan: z.exactOptional(claimCheckField),
  unmet: z.exactOptional(failureField),
  unknown: z.exactOptional(z.strictObject({ count: countField, examples: z.array(endpointField) })),
  skipped: z.exactOptional(z.strictObject({ lines: countField, report: claimCheckField })),
  count_waiting: figure,
  count_transferring: figure,
  count_cutting_over: figure,
  count_moved: figure,
  count_retired: figure,
  count_rolling_back: figure,
  count_rolled_back: figure,
  count_stuck: figure,
  failure: z.exactOptional(failureField),
  deadline: z.exactOptional(timeField),
  ...pauseFields,
  approved: z.exactOptional(holdField),
  started: z.exactOptional(holdField),
  cutover: z.exactOptional(cutoverField),
  cancelled: z.exactOptional(holdField),
  undone: z.exactOptional(countField),
  reopened: z.exactOptional(countField),
  traceparent: z.exactOptional(z.string()),
  createdAt: timeField,
  endedAt: z.exactOptional(timeField),
});

const countAttributes = {
  waiting: 'count_waiting',
  transferring: 'count_transferring',
  'cutting-over': 'count_cutting_over',
  moved: 'count_moved',
  retired: 'count_retired',
  'rolling-back': 'count_rolling_back',
  'rolled-back': 'count_rolled_back',
  stuck: 'count_stuck',
} as const satisfies Record<MoveLabel, string>;

/** The attribute that counts a batch's moves of this label: flat, so that it can be added to without a read. */
export const countAttribute = (label: MoveLabel): string => countAttributes[label];

/** All batches in the order in which they were made, as the index `byTime` has them. */
const allBatches = 'batch';

/** A batch. Due in every minute until it is completed. */
export const batchRow: RowCodec<Pick<Batch, 'id'>, Batch> = {
  kind: 'batch',
  key: ({ id }) => ({ pk: `BATCH#${id}`, sk: 'BATCH' }),
  keyOf: ({ pk }) => ({ id: batchId(afterPrefix('BATCH#', pk)) }),
  encode: ({ counts, ...batch }) => ({
    ...batchRow.key(batch),
    ...batch,
    ...encodeCounts(counts),
    selection: { ...batch.selection },
    resolved: batch.resolved === undefined ? undefined : { ...batch.resolved },
    plan: batch.plan === undefined ? undefined : { ...batch.plan },
    unmet: batch.unmet === undefined ? undefined : { ...batch.unmet },
    skipped:
      batch.skipped === undefined
        ? undefined
        : { lines: batch.skipped.lines, report: { ...batch.skipped.report } },
    policy: {
      ...batch.policy,
      window: batch.policy.window === undefined ? undefined : { ...batch.policy.window },
    },
    failure: batch.failure === undefined ? undefined : { ...batch.failure },
    ...encodePause(batch),
    approved: encodeHold(batch.approved),
    started: encodeHold(batch.started),
    cutover: encodeCutover(batch.cutover),
    cancelled: encodeHold(batch.cancelled),
    kind: 'batch',
    listing: 'batch',
    hour: allBatches,
    shard: shardOf(batch.id),
    dueAt: batch.state === 'completed' ? undefined : batch.createdAt,
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      listing: _listing,
      hour: _hour,
      shard: _shard,
      dueAt: _dueAt,
      count_waiting,
      count_transferring,
      count_cutting_over,
      count_moved,
      count_retired,
      count_rolling_back,
      count_rolled_back,
      count_stuck,
      ...batch
    } = readRow(schema, row);
    const counts: Batch['counts'] = {
      ...(count_waiting === undefined ? {} : { waiting: count_waiting }),
      ...(count_transferring === undefined ? {} : { transferring: count_transferring }),
      ...(count_cutting_over === undefined ? {} : { 'cutting-over': count_cutting_over }),
      ...(count_moved === undefined ? {} : { moved: count_moved }),
      ...(count_retired === undefined ? {} : { retired: count_retired }),
      ...(count_rolling_back === undefined ? {} : { 'rolling-back': count_rolling_back }),
      ...(count_rolled_back === undefined ? {} : { 'rolled-back': count_rolled_back }),
      ...(count_stuck === undefined ? {} : { stuck: count_stuck }),
    };
    return asRecord<Batch>()({ ...batch, counts });
  },
  kept: [],
  // The display counts have run along without commits; with its end the batch gets the exact ones.
  rewritten: (before, after) => [
    // Batches of earlier releases are in no list by time yet.
    'hour',
    ...(before.state !== 'completed' && after.state === 'completed' ? Object.values(countAttributes) : []),
  ],
};

function encodeCounts(counts: Batch['counts']): { readonly [name: string]: Attribute | undefined } {
  return Object.fromEntries(moveLabels.map((label) => [countAttributes[label], counts[label]]));
}
