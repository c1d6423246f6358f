import * as z from 'zod';
import { endpointName, type HostName } from '../../domain/ids.ts';
import { isUnannounced, type Placement } from '../../domain/placement.ts';
import { shardOf } from '../../domain/shards.ts';
import {
  countField,
  encodePause,
  endpointField,
  hostField,
  moveIdField,
  pauseFields,
  timeField,
} from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, type RowCodec } from './row.ts';

const sequenceField = z.exactOptional(z.int());
const held = { move: moveIdField, token: countField };

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('endpoint'),
  listing: z.string(),
  onHost: z.string(),
  shard: z.string(),
  dueAt: z.exactOptional(timeField),
  endpoint: endpointField,
  driver: z.string(),
  host: hostField,
  database: z.string(),
  epoch: countField,
  arbitration: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('serving') }),
    z.strictObject({ kind: z.literal('frozen'), ...held }),
    z.strictObject({ kind: z.literal('thawing'), ...held }),
    z.strictObject({ kind: z.literal('flipped'), ...held, from: hostField }),
    z.strictObject({ kind: z.literal('opening'), ...held, from: hostField }),
  ]),
  claim: z.exactOptional(
    z.strictObject({ move: moveIdField, firstToken: countField, token: z.exactOptional(countField) }),
  ),
  lastMove: z.exactOptional(moveIdField),
  claims: countField,
  announcedEpoch: countField,
  sizeBytes: countField,
  labels: z.record(z.string(), z.string()),
  group: z.exactOptional(z.strictObject({ name: z.string(), spread: z.enum(['hosts', 'zones']) })),
  zones: z.exactOptional(z.array(z.string())),
  pin: z.exactOptional(hostField),
  sequences: z.exactOptional(
    z.strictObject({
      labels: sequenceField,
      sizeBytes: sequenceField,
      group: sequenceField,
      zones: sequenceField,
      pin: sequenceField,
    }),
  ),
  ...pauseFields,
  registeredAt: timeField,
});

/** What `byHost` keeps of an endpoint. */
export const endpointsOnHost = (host: HostName): string => `endpoint#${host}`;
/** What `byKind` keeps of the endpoints of one shard. */
export const endpointsOfShard = (shard: string): string => `endpoint#${shard}`;

/** A placement. Due for as long as its epoch has not been told to the world. */
export const endpointRow: RowCodec<Pick<Placement, 'endpoint'>, Placement> = {
  kind: 'endpoint',
  key: ({ endpoint }) => ({ pk: `ENDPOINT#${endpoint}`, sk: 'ENDPOINT' }),
  keyOf: ({ pk }) => ({ endpoint: endpointName(afterPrefix('ENDPOINT#', pk)) }),
  encode: (placement) => ({
    ...endpointRow.key(placement),
    ...placement,
    ...encodePause(placement),
    claim: placement.claim === undefined ? undefined : { ...placement.claim },
    arbitration: { ...placement.arbitration },
    group: placement.group === undefined ? undefined : { ...placement.group },
    zones: placement.zones === undefined ? undefined : [...placement.zones],
    sequences: placement.sequences === undefined ? undefined : { ...placement.sequences },
    kind: 'endpoint',
    listing: endpointsOfShard(shardOf(placement.endpoint)),
    onHost: endpointsOnHost(placement.host),
    shard: shardOf(placement.endpoint),
    dueAt: isUnannounced(placement) ? placement.registeredAt : undefined,
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      listing: _listing,
      onHost: _onHost,
      shard: _shard,
      dueAt: _dueAt,
      ...placement
    } = readRow(schema, row);
    return asRecord<Placement>()(placement);
  },
  kept: [],
};
