import * as z from 'zod';
import { RowUnreadable } from '../../ports/failures.ts';
import type { CleanupEntry, CleanupRecord } from '../../domain/cleanup.ts';
import { hostName, moveId, type HostName } from '../../domain/ids.ts';
import { countField, hostField, jsonField, moveIdField } from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, type Attribute, type RowCodec } from './row.ts';

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('cleanup'),
  onHost: z.string(),
  move: moveIdField,
  run: z.int().positive(),
  host: hostField,
  token: z.exactOptional(countField),
  items: z.array(
    z.strictObject({
      key: z.string(),
      kind: z.string(),
      name: z.string(),
      systemIdentifier: z.string(),
      oid: z.exactOptional(countField),
      restore: z.exactOptional(jsonField),
    }),
  ),
});

/** What `byHost` keeps of a cleanup record. */
export const cleanupsOnHost = (host: HostName): string => `cleanup#${host}`;

/** What one run of a move has on one host; beside its move, and found by its host. */
export const cleanupRow: RowCodec<Pick<CleanupRecord, 'move' | 'run' | 'host'>, CleanupRecord> = {
  kind: 'cleanup',
  key: ({ move, run, host }) => ({ pk: `MOVE#${move}`, sk: `CLEANUP#${String(run)}#${host}` }),
  keyOf: ({ pk, sk }) => {
    const [, run, host] = /^CLEANUP#(\d+)#(.+)$/.exec(sk) ?? [];
    if (run === undefined || host === undefined)
      throw new RowUnreadable(`row-unreadable: "${sk}" is no cleanup's key`);
    return { move: moveId(afterPrefix('MOVE#', pk)), run: Number(run), host: hostName(host) };
  },
  encode: (record) => ({
    ...cleanupRow.key(record),
    ...record,
    items: record.items.map(encodeEntry),
    kind: 'cleanup',
    onHost: cleanupsOnHost(record.host),
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      onHost: _onHost,
      ...record
    } = readRow(schema, row);
    return asRecord<CleanupRecord>()(record);
  },
  kept: [],
};

function encodeEntry({ restore, ...plain }: CleanupEntry): Attribute {
  return { ...plain, restore: restore === undefined ? undefined : JSON.stringify(restore) };
}
