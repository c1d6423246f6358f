import * as z from 'zod';
import type { Signal } from '../../domain/health.ts';
import type { Host } from '../../domain/host.ts';
import type { JsonObject } from '../../domain/json.ts';
import { hostName, isMoveId } from '../../domain/ids.ts';
import { healingDueAt } from '../../domain/healing.ts';
import { shardOf } from '../../domain/shards.ts';
import {
  batchIdField,
  countField,
  encodePause,
  hostField,
  jsonField,
  moveIdField,
  pauseFields,
  timeField,
} from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, type RowCodec } from './row.ts';

const permitsField = z.set(moveIdField).transform((held) => [...held].sort());
const isObject = (it: unknown): it is JsonObject =>
  typeof it === 'object' && it !== null && !Array.isArray(it);
const optionsField = jsonField.transform((value, context): JsonObject => {
  if (isObject(value)) return value;
  context.addIssue({ code: 'custom', message: 'no JSON object' });
  return z.NEVER;
});

/** All at one go: there is one for each move on its way to the host, and a planner reads them for each of these. */
const reservedField = z.custom<Host['reserved']>(
  (it) =>
    isObject(it) &&
    Object.keys(it).every((move) => {
      const bytes = it[move];
      return typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 0 && isMoveId(move);
    }),
);

const sequence = z.exactOptional(z.int());

/** Rows of earlier releases have the time of a signal only, and all that they know of is a failure. */
const signalField = z.union([
  z.strictObject({
    kind: z.enum(['failed', 'strained']),
    since: timeField,
    at: timeField,
    between: z.exactOptional(z.array(timeField)),
    reason: z.exactOptional(z.string()),
  }),
  timeField.transform((at): Signal => ({ kind: 'failed', since: at, at })),
]);

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('host'),
  listing: z.literal('host'),
  name: hostField,
  driver: z.string(),
  url: z.string(),
  replicationAddress: z.string(),
  clientAddress: z.string(),
  secret: z.exactOptional(z.string()),
  zone: z.string(),
  capacityBytes: z.exactOptional(countField),
  intent: z.strictObject({
    value: z.enum(['active', 'cordoned', 'draining', 'retired']),
    sequence: z.int(),
    reason: z.string(),
    deadline: z.exactOptional(timeField),
  }),
  labels: z.record(z.string(), z.string()).default({}),
  sequences: z
    .strictObject({
      url: sequence,
      replicationAddress: sequence,
      clientAddress: sequence,
      secret: sequence,
      zone: sequence,
      capacityBytes: sequence,
      labels: sequence,
    })
    .default({}),
  signals: z.record(z.string(), signalField),
  cleared: z.record(z.string(), timeField).default({}),
  healing: z.exactOptional(
    z.strictObject({ since: timeField, at: timeField, batches: z.array(batchIdField) }),
  ),
  shard: z.exactOptional(z.string()),
  dueAt: z.exactOptional(timeField),
  systemIdentifier: z.string(),
  serverVersion: z.string(),
  movesOut: countField,
  movesIn: countField,
  throttle: z.exactOptional(z.strictObject({ out: countField, in: countField })),
  permitsOut: z.exactOptional(permitsField),
  permitsIn: z.exactOptional(permitsField),
  reserved: reservedField,
  options: optionsField,
  ...pauseFields,
  registeredAt: timeField,
});

/** A host; due for as long as it has failed. Its permits and reservations change by themselves, without touching the version. */
export const hostRow: RowCodec<Pick<Host, 'name'>, Host> = {
  kind: 'host',
  key: ({ name }) => ({ pk: `HOST#${name}`, sk: 'HOST' }),
  keyOf: ({ pk }) => ({ name: hostName(afterPrefix('HOST#', pk)) }),
  encode: ({ permitsOut, permitsIn, options, throttle, ...plain }) => ({
    ...hostRow.key(plain),
    ...plain,
    ...encodePause(plain),
    signals: Object.fromEntries(Object.entries(plain.signals).map(([name, signal]) => [name, { ...signal }])),
    throttle: throttle === undefined ? undefined : { ...throttle },
    kind: 'host',
    listing: 'host',
    healing: plain.healing === undefined ? undefined : { ...plain.healing },
    shard: shardOf(plain.name),
    dueAt: healingDueAt(plain),
    permitsOut: permitsOut.length === 0 ? undefined : new Set(permitsOut),
    permitsIn: permitsIn.length === 0 ? undefined : new Set(permitsIn),
    options: JSON.stringify(options),
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      listing: _listing,
      shard: _shard,
      dueAt: _dueAt,
      ...host
    } = readRow(schema, row);
    return asRecord<Host>()({ ...host, permitsOut: host.permitsOut ?? [], permitsIn: host.permitsIn ?? [] });
  },
  kept: ['permitsOut', 'permitsIn', 'reserved'],
  // Rows of earlier releases have none, and are due only with both keys.
  rewritten: (_, after) => (healingDueAt(after) === undefined ? [] : ['shard']),
};
