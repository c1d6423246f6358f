import * as z from 'zod';
import { moveId, type EndpointName } from '../../domain/ids.ts';
import { isStuckUntold, labelOf, moveLabels, type Move, type MoveLabel } from '../../domain/move.ts';
import { RowUnreadable } from '../../ports/failures.ts';
import { encodeExecution, executionFields } from './execution.ts';
import {
  batchIdField,
  countField,
  endpointField,
  hostField,
  moveIdField,
  policyField,
  timeField,
} from './fields.ts';
import {
  afterPrefix,
  asRecord,
  envelope,
  hourOf,
  readRow,
  shardOf,
  upToHalfMinute,
  type RowCodec,
} from './row.ts';

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
  createdAt: timeField,
  stuckTold: z.exactOptional(countField),
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
      policy: { ...move.policy },
      kind: 'move',
      label,
      labelAndEndpoint: labelAndEndpoint(label, move.endpoint),
      hour: hourOf(move.createdAt),
      shard: shardOf(move.id),
      dueAt: dueAtOf({ ...move, execution }),
      waitingOrder: label === 'waiting' ? waitingOrder(move) : undefined,
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
      return upToHalfMinute(status.dueAt + grace);
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

const highest = 1_000_000_000;

/** Sorts the highest priority first, then the oldest. */
function waitingOrder({ priority, createdAt, id }: Pick<Move, 'priority' | 'createdAt' | 'id'>): string {
  const rank = highest - Math.max(-highest, Math.min(highest, priority));
  return `${digits(rank, 10)}#${digits(createdAt, 13)}#${id}`;
}

const digits = (value: number, width: number): string => String(value).padStart(width, '0');

const waitingEntry = z.object({
  waitingOrder: z.string().regex(/^\d{10}#\d{13}#/),
  batch: batchIdField,
  source: hostField,
  target: hostField,
});

/** A waiting move, from its entry in `byWaiting` alone. @throws RowUnreadable */
export function readWaitingEntry(
  entry: unknown,
): Pick<Move, 'batch' | 'source' | 'target' | 'priority' | 'createdAt'> {
  const { waitingOrder: order, ...rest } = readRow(waitingEntry, entry);
  const [rank, createdAt] = order.split('#');
  if (rank === undefined || createdAt === undefined)
    throw new RowUnreadable(`row-unreadable: waiting order "${order}"`);
  return { ...rest, priority: highest - Number(rank), createdAt: Number(createdAt) };
}
