import * as z from 'zod';
import { cleanupsOnHost } from '../contracts/rows/cleanup.ts';
import { endpointsOfShard, endpointsOnHost } from '../contracts/rows/endpoint.ts';
import { decodeHistory, historyKey, historyPrefix } from '../contracts/rows/history.ts';
import { deedsOfHour } from '../contracts/rows/letter.ts';
import { labelAndEndpoint, readLabel, readWaitingEntry } from '../contracts/rows/move.ts';
import { newsOfHour } from '../contracts/rows/news.ts';
import { refusalsOfHour } from '../contracts/rows/request.ts';
import type { RowKey } from '../contracts/rows/row.ts';
import { shardCount, shards } from '../domain/shards.ts';
import type { Clock } from '../ports/clock.ts';
import type { Due, HistoryEntry, Page, Views, WaitingMove } from '../ports/store.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { codecs } from './layout.ts';
import type { Position, QueryRows, RowsQuery } from './rows-query.ts';

export interface ViewsOptions {
  readonly query: QueryRows;
  readonly clock: Clock;
  /** Entries of a page. By default 1,000. */
  readonly pageSize?: number;
}

type Entry = Readonly<Record<string, unknown>>;

/** Listings, over the table's indexes. */
export function createViews({ query, clock, pageSize = 1_000 }: ViewsOptions): Views {
  return {
    hosts: async (cursor) =>
      await page({ index: 'byKind', hash: 'host' }, cursor, (entry) => codecs.host.keyOf(keyIn(entry)).name),
    endpointsOn: async (host, cursor) =>
      await page({ index: 'byHost', hash: endpointsOnHost(host) }, cursor, endpointIn),
    sizesOn: async (host, cursor) =>
      await page({ index: 'byHost', hash: endpointsOnHost(host) }, cursor, sizeIn),
    scalers: async (cursor) =>
      await page(
        { index: 'byKind', hash: 'scaler' },
        cursor,
        (entry) => codecs.scaler.keyOf(keyIn(entry)).target,
      ),
    endpoints: everyEndpoint,
    batches: async (cursor) =>
      await page({ index: 'byKind', hash: 'batch' }, cursor, (entry) => codecs.batch.keyOf(keyIn(entry)).id),
    movesOf: async (batch, label, cursor) =>
      await page(
        {
          index: 'byBatch',
          hash: batch,
          ...(label === undefined ? {} : { range: { beginsWith: labelAndEndpoint(label, '') } }),
        },
        cursor,
        (entry) => ({ id: moveIn(entry), label: readLabel(entry) }),
      ),
    movesAt: async (hour, cursor) => await page({ index: 'byTime', hash: hour }, cursor, moveIn),
    refusalsAt: async (hour, cursor) =>
      await page({ index: 'byTime', hash: refusalsOfHour(hour) }, cursor, (entry) =>
        codecs.request.keyOf(keyIn(entry)),
      ),
    lettersAt: async (hour, cursor) =>
      await page({ index: 'byTime', hash: deedsOfHour(hour) }, cursor, (entry) =>
        codecs.letter.keyOf(keyIn(entry)),
      ),
    notificationsAt: async (hour, cursor) =>
      await page({ index: 'byTime', hash: newsOfHour(hour) }, cursor, (entry) =>
        codecs.news.keyOf(keyIn(entry)),
      ),
    cleanupsOn: async (host, cursor) =>
      await page({ index: 'byHost', hash: cleanupsOnHost(host) }, cursor, (entry) =>
        codecs.cleanup.keyOf(keyIn(entry)),
      ),

    async waiting(shard, after, limit) {
      const range = after === '' ? {} : { range: { above: after } };
      const { rows } = await query({ index: 'byWaiting', hash: shard, limit, ...range });
      return rows.map((entry): WaitingMove => ({ id: moveIn(entry), ...readWaitingEntry(entry) }));
    },

    async due(now, limit, cursor) {
      const { behind = {} } = readCursor(cursor);
      const wanted = { index: 'byDue', range: { atMost: now } } as const;
      const { rows, isAll } = await acrossShards(wanted, limit, behind);
      const taken = rows.toSorted(byDueTime).slice(0, limit);
      const items = taken.flatMap(dueIn);
      if (isAll && taken.length === rows.length) return { items };
      const ends = taken.map((entry) => dueEntry.parse(entry));
      const here = Object.fromEntries(ends.map((end) => [end.shard, end]));
      return { items, cursor: writeCursor({ behind: { ...behind, ...here } }) };
    },

    async history(move, cursor) {
      const found = await page(
        { hash: historyKey(move), range: { beginsWith: historyPrefix } },
        cursor,
        (row) => decodeHistory(row),
      );
      // Expired rows go when the service gets to them: until then they are passed over here.
      const now = clock.now() / 1_000;
      return { ...found, items: found.items.filter(({ expiresAt }) => expiresAt > now).map(withoutExpiry) };
    },
  };

  async function page<T>(
    wanted: Omit<RowsQuery, 'limit' | 'after'>,
    cursor: string | undefined,
    read: (entry: Entry) => T,
  ): Promise<Page<T>> {
    const { rows, end } = await query({ ...wanted, limit: pageSize, after: readCursor(cursor).after });
    const items = rows.map(read);
    return end === undefined ? { items } : { items, cursor: writeCursor({ after: end }) };
  }

  /** Shard after shard; a page ends where its shard ends, unless it would be empty. */
  async function everyEndpoint(cursor?: string) {
    const { shard: start = 0, after } = readCursor(cursor);
    for (let shard = start; shard < shardCount; shard += 1) {
      const { rows, end } = await query({
        index: 'byKind',
        hash: endpointsOfShard(shards[shard] ?? ''),
        limit: pageSize,
        after: shard === start ? after : undefined,
      });
      const items = rows.map(endpointIn);
      if (end !== undefined) return { items, cursor: writeCursor({ shard, after: end }) };
      if (items.length > 0)
        return shard + 1 < shardCount ? { items, cursor: writeCursor({ shard: shard + 1 }) } : { items };
    }
    return { items: [] };
  }

  /**
   * Of each shard somewhat more than its share, so that the first of all are among them; where others have less than
   * theirs, more.
   */
  async function acrossShards(
    wanted: Pick<RowsQuery, 'index' | 'range'>,
    limit: number,
    behind: Readonly<Record<string, Position>>,
  ): Promise<{ readonly rows: readonly Entry[]; readonly isAll: boolean }> {
    const ask = async (hash: string, most: number) =>
      await query({ ...wanted, hash, limit: most, after: behind[hash] });
    const share = limit / shardCount;
    const each = Math.max(1, Math.min(limit, Math.ceil(share + 4 * Math.sqrt(share) + 4)));
    const found = await Promise.all(shards.map(async (hash) => await ask(hash, each)));
    const enough = found.reduce((sum, { rows }) => sum + rows.length, 0) >= limit;
    const parts = enough
      ? found
      : await Promise.all(
          found.map(async (part, index) =>
            part.end === undefined ? part : await ask(shards[index] ?? '', limit),
          ),
        );
    return {
      rows: parts.flatMap(({ rows }) => rows),
      isAll: parts.every(({ end }) => end === undefined),
    };
  }
}

const entryKey = z.looseObject({ pk: z.string(), sk: z.string() });

function keyIn(entry: Entry): RowKey {
  return entryKey.parse(entry);
}

const endpointIn = (entry: Entry) => codecs.endpoint.keyOf(keyIn(entry)).endpoint;
/** An entry whose size cannot be read counts as nothing, as its row would. */
const sizeIn = ({ sizeBytes }: Entry): number => (typeof sizeBytes === 'number' ? sizeBytes : 0);
const moveIn = (entry: Entry) => codecs.move.keyOf(keyIn(entry)).id;

/** The keys of an entry of `byDue`: where its shard goes on behind it. */
const dueEntry = z.object({ pk: z.string(), sk: z.string(), shard: z.string(), dueAt: z.number() });

/** A row of a kind that this release does not know is for the release that does. */
function dueIn(entry: Entry): readonly Due[] {
  const key = keyIn(entry);
  if (key.sk.startsWith('REQUEST#')) return [{ kind: 'request', ...codecs.request.keyOf(key) }];
  switch (key.sk) {
    case 'MOVE':
      return [{ kind: 'move', ...codecs.move.keyOf(key) }];
    case 'BATCH':
      return [{ kind: 'batch', ...codecs.batch.keyOf(key) }];
    case 'ENDPOINT':
      return [{ kind: 'endpoint', ...codecs.endpoint.keyOf(key) }];
    case 'NEWS':
      return [{ kind: 'news', ...codecs.news.keyOf(key) }];
    case 'HOST':
      return [{ kind: 'host', ...codecs.host.keyOf(key) }];
    default:
      return [];
  }
}

function withoutExpiry({
  expiresAt: _,
  ...entry
}: HistoryEntry & { readonly expiresAt: number }): HistoryEntry {
  return entry;
}

const byDueTime = (one: Entry, other: Entry): number => Number(one['dueAt']) - Number(other['dueAt']);
