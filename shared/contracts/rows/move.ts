import * as z from 'zod';
import type { Execution } from '../../domain/execution.ts';
import { isBatchId, moveId, type EndpointName } from '../../domain/ids.ts';
import { leadOf } from '../../domain/move-reasons.ts';
import { isStuckUntold, labelOf, moveLabels, type Move, type MoveLabel } from '../../domain/move.ts';
import { movePolicyOf } from '../../domain/policy.ts';
import { shardOf } from '../../domain/shards.ts';
import { readWaitingOrder, writeWaitingOrder } from '../../domain/waiting-order.ts';
import { RowUnreadable } from '../../ports/failures.ts';
import type { WaitingMove } from '../../ports/store.ts';
import { encodeExecution, executionFields } from './execution.ts';
import {
  batchIdField,
  countField,
  cutoverField,
  encodeCutover,
  endpointField,
  hostField,
  moveIdField,
  policyField,
  timeField,
} from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, hourOf, upToHalfMinute, type RowCodec } from './row.ts';

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('move'),
  label: z.enum(moveLabels),
  labelAndEndpoint: z.string(),
  hour: z.string(),
  shard: z.string(),
  dueAt: z.exactOptional(timeField),
  waitingOrder: z.exactOptional(z.string()),
  id: moveIdField,
  batch: batchIdField,
  endpoint: endpointField,
  driver: z.string(),
  database: z.string(),
  source: hostField,
  target: hostField,
  why: z.string(),
  epoch: countField,
  policy: policyField,
  priority: z.int(),
  traceparent: z.exactOptional(z.string()),
  createdAt: timeField,
  stuckTold: z.exactOptional(countField),
  cutover: z.exactOptional(cutoverField),
  reasons: z.exactOptional(
    z.array(
      z.strictObject({
        batch: batchIdField,
        move: moveIdField,
        priority: z.int(),
        by: z.string(),
        at: timeField,
        reason: z.string(),
      }),
    ),
  ),
  joined: z.exactOptional(z.strictObject({ move: moveIdField, batch: batchIdField })),
  ...executionFields,
});

/** A move. Its index keys are coarse: they change with its label, not with its every step. */
export const moveRow: RowCodec<Pick<Move, 'id'>, Move> = {
  kind: 'move',
  key: ({ id }) => ({ pk: `MOVE#${id}`, sk: 'MOVE' }),
  keyOf: ({ pk }) => ({ id: moveId(afterPrefix('MOVE#', pk)) }),
  encode: ({ execution, ...move }) => {
    const label = labelOf(execution);
    return {
      ...moveRow.key(move),
      ...move,
      ...encodeExecution(execution),
      policy: { ...movePolicyOf(move.policy) },
      cutover: encodeCutover(move.cutover),
      reasons: move.reasons?.map((reason) => ({ ...reason })),
      joined: move.joined === undefined ? undefined : { ...move.joined },
      kind: 'move',
      label,
      labelAndEndpoint: labelAndEndpoint(label, move.endpoint),
      hour: hourOf(move.createdAt),
      // What waits is found by its source, so all of one source stands together.
      shard: shardOf(move.source),
      dueAt: dueAtOf({ ...move, execution }),
      waitingOrder: isInLine(execution)
        ? writeWaitingOrder({ ...move, batch: leadOf(move) }, execution.workflow)
        : undefined,
    };
  },
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      label: _label,
      labelAndEndpoint: _labelAndEndpoint,
      hour: _hour,
      shard: _shard,
      dueAt: _dueAt,
      waitingOrder: _waitingOrder,
      workflow,
      run,
      token,
      status,
      results,
      timings,
      last,
      ...move
    } = readRow(schema, row);
    return asRecord<Move>()({ ...move, execution: { workflow, run, token, status, results, timings, last } });
  },
  kept: [],
};

/** The order of `byBatch`: by coarse state, then by name. */
export const labelAndEndpoint = (label: MoveLabel, endpoint: EndpointName | ''): string =>
  `${label}#${endpoint}`;

const labelledEntry = z.looseObject({
  labelAndEndpoint: z
    .string()
    .transform((text) => text.slice(0, text.indexOf('#')))
    .pipe(z.enum(moveLabels)),
});

/** The label in an entry of `byBatch`. @throws RowUnreadable */
export const readLabel = (entry: Readonly<Record<string, unknown>>): MoveLabel =>
  readRow(labelledEntry, entry).labelAndEndpoint;

const grace = 30_000;

/**
 * When the sweep should look after a move: within half a minute of when its worker has had to speak up, on a full
 * half minute. With a sweep every minute nothing that was lost lies for longer than two of its periods.
 *
 * A lease counts for no less than half a minute since the last word. So a short lease after a long one, or the next
 * step after the last, moves the entry in the index now and then and not with every write.
 */
function dueAtOf(move: Move): number | undefined {
  const { status, last } = move.execution;
  switch (status.state) {
    case 'waiting':
      // Ten thousand that are in line would hide what is due behind them: the dispatcher finds those by their place.
      // What is joined to another one is looked after by its batch.
      return status.putOff === undefined || status.carried !== undefined
        ? undefined
        : upToHalfMinute(status.dueAt + grace);
    case 'running':
    case 'rolling-back':
      return upToHalfMinute(Math.max(status.dueAt, status.lease?.until ?? 0, last.at + grace));
    case 'completed':
    case 'rolled-back':
      return undefined;
    case 'stuck':
      // Until people know of it.
      return isStuckUntold(move) ? upToHalfMinute(status.endedAt) : undefined;
    default:
      return status satisfies never;
  }
}

/** What is put off until a time stands in nobody's way: it comes back into line when it is woken. */
const isInLine = ({ status }: Execution): boolean =>
  status.state === 'waiting' && status.putOff === undefined && status.carried === undefined;

const waitingEntry = z.object({
  waitingOrder: z.string(),
  batch: batchIdField,
  source: hostField,
  target: hostField,
});

/** A waiting move, from its entry in `byWaiting` alone. @throws RowUnreadable */
export function readWaitingEntry(entry: unknown): Omit<WaitingMove, 'id'> {
  const { waitingOrder: order, batch, ...rest } = readRow(waitingEntry, entry);
  const read = readWaitingOrder(order);
  if (read === undefined) throw new RowUnreadable(`row-unreadable: waiting order "${order}"`);
  const { lead, ...place } = read;
  // Of several batches that want it: that whose words count.
  return { ...rest, ...place, batch: lead !== undefined && isBatchId(lead) ? lead : batch, order };
}
