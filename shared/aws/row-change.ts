import { isDeepStrictEqual } from 'node:util';
import type { Attribute, Row } from '../contracts/rows/row.ts';
import type { RecordKind, Records } from '../ports/store.ts';
import { codecs, definedOnly, toRow } from './layout.ts';

/** What a commit does to a row. */
export interface RowChange {
  readonly set: readonly (readonly [name: string, value: Attribute])[];
  readonly remove: readonly string[];
}

/**
 * The attributes by which two versions of a record differ, with the id of the commit; what others change
 * without commits (permits, say) is left alone.
 *
 * @throws RangeError when the two are not of one row
 */
export function changeBetween<K extends RecordKind>(
  kind: K,
  before: Records[K],
  after: Records[K],
  commitId: string,
): RowChange {
  const codec = codecs[kind];
  const [old, next] = [definedOnly(codec.encode(before)), toRow(kind, after)];
  if (old.pk !== next.pk || old.sk !== next.sk) {
    throw new RangeError(`a commit must not turn ${old.pk} ${old.sk} into ${next.pk} ${next.sk}`);
  }
  const rewritten = codec.rewritten?.(before, after) ?? [];
  const names = new Set([...Object.keys(old), ...Object.keys(next), ...rewritten]);
  const changed = [...names].filter(
    (name) =>
      !codec.kept.includes(name) && (rewritten.includes(name) || !isDeepStrictEqual(old[name], next[name])),
  );
  return {
    set: [...changed.flatMap((name) => entryOf(next, name)), ['commitId', commitId]],
    remove: changed.filter((name) => next[name] === undefined),
  };
}

function entryOf(row: Row, name: string): [string, Attribute][] {
  const value = row[name];
  return value === undefined ? [] : [[name, value]];
}
