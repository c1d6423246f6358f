import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import { RowUnreadable } from '../../ports/failures.ts';

/** An attribute of a row, before it is put into the form of the wire. */
export type Attribute =
  | string
  | number
  | boolean
  | null
  | Set<string>
  | readonly Attribute[]
  | { readonly [name: string]: Attribute | undefined };

export interface RowKey {
  readonly pk: string;
  readonly sk: string;
}

/** A row: its key and its attributes by name; what is undefined is absent. */
export interface Row extends RowKey {
  readonly [name: string]: Attribute | undefined;
}

/** How records of one kind stand in rows. */
export interface RowCodec<Key, Record> {
  readonly kind: string;
  readonly key: (of: Key) => RowKey;
  /** The key back from an index entry. @throws RowUnreadable */
  readonly keyOf: (row: RowKey) => Key;
  readonly encode: (record: Record) => Row;
  /** @throws RowUnreadable when the row is not what its contract says */
  readonly decode: (row: unknown) => Record;
  /** Attributes that are changed without a commit (sets of permits, say): a commit never writes them. */
  readonly kept: readonly string[];
  /** Attributes that this commit writes even if `before` and `after` agree on them. */
  readonly rewritten?: (before: Record, after: Record) => readonly string[];
}

/** A type with nothing optional in it, to see whether two have the same fields. */
type Whole<T> = Json extends T
  ? 'json'
  : T extends string | number | boolean | null
    ? T
    : T extends readonly (infer Element)[]
      ? readonly Whole<Element>[]
      : { [Name in keyof T]-?: Whole<T[Name]> };

/** Hands on what a contract has read. Does not compile when the record has a field that the contract lacks. */
export function asRecord<Record>() {
  return <Output extends Record>(
    output: Output &
      (Whole<Output> extends Whole<Record> ? unknown : 'the contract lacks a field of the record'),
  ): Record => output;
}

/** What is left of `text` after `prefix`. @throws RowUnreadable */
export function afterPrefix(prefix: string, text: string): string {
  if (text.startsWith(prefix)) return text.slice(prefix.length);
  throw new RowUnreadable(`row-unreadable: key "${text}" does not begin with "${prefix}"`);
}

/** The hour of a time, `2026-11-21T08`, in UTC. */
export const hourOf = (time: number): string => new Date(time).toISOString().slice(0, 13);

const halfMinute = 30_000;

/** Up to the next full half minute: an index key must not change with every write. */
export function upToHalfMinute(time: number): number {
  return Math.ceil(time / halfMinute) * halfMinute;
}

/** What every row carries beside its record. */
export const envelope = {
  pk: z.string(),
  sk: z.string(),
  version: z.int().positive(),
  /** Which write made this version, so that a writer whose answer was lost knows its own. */
  commitId: z.exactOptional(z.string()),
};
