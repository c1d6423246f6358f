import * as z from 'zod';
import type { Notification } from '../../domain/notification.ts';
import { shardOf } from '../../domain/shards.ts';
import { timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, hourOf, type RowCodec } from './row.ts';

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('news'),
  shard: z.string(),
  dueAt: z.exactOptional(timeField),
  hour: z.string(),
  createdAt: timeField,
  expiresAt: timeField,
  id: z.string(),
  matter: z.enum([
    'approval-wanted',
    'batch-finished',
    'drain-infeasible',
    'healing-begun',
    'healing-ended',
    'move-stuck',
  ]),
  subject: z.string(),
  what: z.string(),
  why: z.array(z.string()),
  next: z.array(z.string()),
  about: z.record(z.string(), z.union([z.string(), z.number()])),
  at: timeField,
  toldAt: z.exactOptional(timeField),
});

/** News by the hour in which they came up, as the index `byTime` has them. */
export const newsOfHour = (hour: string): string => `news#${hour}`;

const keptSeconds = 90 * 86_400;

/** What people are told. Due until it has been told; goes by itself after a while. */
export const newsRow: RowCodec<Pick<Notification, 'id'>, Notification> = {
  kind: 'news',
  key: ({ id }) => ({ pk: `NEWS#${id}`, sk: 'NEWS' }),
  keyOf: ({ pk }) => ({ id: afterPrefix('NEWS#', pk) }),
  encode: ({ kind: matter, ...notification }) => ({
    ...newsRow.key(notification),
    ...notification,
    about: { ...notification.about },
    matter,
    kind: 'news',
    shard: shardOf(notification.id),
    dueAt: notification.toldAt === undefined ? notification.at : undefined,
    hour: newsOfHour(hourOf(notification.at)),
    createdAt: notification.at,
    expiresAt: Math.ceil(notification.at / 1_000) + keptSeconds,
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      shard: _shard,
      dueAt: _dueAt,
      hour: _hour,
      createdAt: _createdAt,
      expiresAt: _expiresAt,
      matter: kind,
      ...notification
    } = readRow(schema, row);
    return asRecord<Notification>()({ ...notification, kind });
  },
  kept: [],
};
