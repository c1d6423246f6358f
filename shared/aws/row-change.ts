import { isDeepStrictEqual } from 'node:util';
import { carryOn, whole } from '../contracts/rows/beyond.ts';
import type { Attribute, Row } from '../contracts/rows/row.ts';
import type { RecordKind, Records } from '../ports/store.ts';
import { codecs, definedOnly, toRow } from './layout.ts';

/** What a commit does to a row. */
export interface RowChange {
  readonly set: readonly (readonly [name: string, value: Attribute])[];
  readonly remove: readonly string[];
}

/** What a commit makes of a record: its next version, with what only a newer release knows of it. */
export const nextOf = <K extends RecordKind>(kind: K, before: Records[K], after: Records[K]): Records[K] =>
  carryOn(before, { ...after, version: before.version + 1 }, () => ({
    was: definedOnly(codecs[kind].encode(before)),
    is: toRow(kind, after),
  }));

/**
 * The attributes by which two versions of a record differ, with the id of the commit; what others change
 * without commits (permits, say) is left alone, and so is what a newer release has written.
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
  const [was, is] = [definedOnly(codec.encode(before)), toRow(kind, after)];
  if (was.pk !== is.pk || was.sk !== is.sk) {
    throw new RangeError(`a commit must not turn ${was.pk} ${was.sk} into ${is.pk} ${is.sk}`);
  }
  const [old, next] = [whole(before, was), whole(nextOf(kind, before, after), is)];
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
