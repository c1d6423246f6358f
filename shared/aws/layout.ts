import { batchRow } from '../contracts/rows/batch.ts';
import { cleanupRow } from '../contracts/rows/cleanup.ts';
import { endpointRow } from '../contracts/rows/endpoint.ts';
import { fleetRow } from '../contracts/rows/fleet.ts';
import { hostRow } from '../contracts/rows/host.ts';
import { letterRow } from '../contracts/rows/letter.ts';
import { moveRow } from '../contracts/rows/move.ts';
import { newsRow } from '../contracts/rows/news.ts';
import { paceRow } from '../contracts/rows/pace.ts';
import { requestRow } from '../contracts/rows/request.ts';
import { scalerRow } from '../contracts/rows/scaler.ts';
import type { Attribute, Row, RowCodec } from '../contracts/rows/row.ts';
import type { Keys, RecordKind, Records } from '../ports/store.ts';

/** How each kind of record stands in the table. */
export const codecs: { readonly [K in RecordKind]: RowCodec<Keys[K], Records[K]> } = {
  host: hostRow,
  endpoint: endpointRow,
  batch: batchRow,
  move: moveRow,
  request: requestRow,
  cleanup: cleanupRow,
  letter: letterRow,
  fleet: fleetRow,
  news: newsRow,
  pace: paceRow,
  scaler: scalerRow,
};

export interface IndexLayout {
  readonly hash: string;
  readonly range: string;
  readonly rangeType: 'S' | 'N';
}

/** The indexes, as `docs/table.md` explains them. A row is in an index while it has both of its keys. */
export const indexes = {
  byHost: { hash: 'onHost', range: 'pk', rangeType: 'S' },
  byKind: { hash: 'listing', range: 'pk', rangeType: 'S' },
  byBatch: { hash: 'batch', range: 'labelAndEndpoint', rangeType: 'S' },
  byTime: { hash: 'hour', range: 'createdAt', rangeType: 'N' },
  byDue: { hash: 'shard', range: 'dueAt', rangeType: 'N' },
  byWaiting: { hash: 'shard', range: 'waitingOrder', rangeType: 'S' },
} as const satisfies Record<string, IndexLayout>;
export type IndexName = keyof typeof indexes;

/**
 * A record as its row, without what is absent. It is read back before it is handed out, so that nothing is ever
 * written which could not be read again.
 *
 * @throws RowUnreadable
 */
export function toRow<K extends RecordKind>(kind: K, record: Records[K]): Row {
  const row = definedOnly(codecs[kind].encode(record));
  codecs[kind].decode(row);
  return row;
}

/** Without what is absent, however deep. */
export function definedOnly(row: Row): Row {
  return { ...definedIn(row), pk: row.pk, sk: row.sk };
}

interface Attributes {
  readonly [name: string]: Attribute | undefined;
}

function definedIn(map: Attributes): { readonly [name: string]: Attribute } {
  const kept: Record<string, Attribute> = {};
  for (const name of Object.keys(map)) {
    const value = map[name];
    if (value !== undefined) kept[name] = defined(value);
  }
  return kept;
}

/** As it would come back from the wire: a copy of its own. */
export function defined(value: Attribute): Attribute {
  if (typeof value !== 'object' || value === null || value instanceof Set) return value;
  return isList(value) ? value.map(defined) : definedIn(value);
}

const isList = (value: readonly Attribute[] | Attributes): value is readonly Attribute[] =>
  Array.isArray(value);
