import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import { RowUnreadable } from '../../ports/failures.ts';
import { split, unknownIn, withParts } from './beyond.ts';

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

const anyKey = z.looseObject({ pk: z.string(), sk: z.string() });

/**
 * Parses a row by its schema. Attributes that the schema does not know are a newer release's: they are passed over, and
 * stay in the row whatever this release writes there. Anything else is a failure, which names the row and the attribute.
 *
 * @throws RowUnreadable
 */
export function readRow<Schema extends z.ZodType<object>>(schema: Schema, row: unknown): z.output<Schema> {
  const parsed = schema.safeParse(row);
  return parsed.success ? parsed.data : (readKnown(schema, row, parsed.error) ?? refuse(row, parsed.error));
}

/** What this release knows of a row that a newer one has written; undefined when more than that is wrong. */
function readKnown<Schema extends z.ZodType<object>>(
  schema: Schema,
  row: unknown,
  error: z.core.$ZodError,
): z.output<Schema> | undefined {
  const paths = unknownIn(error);
  if (paths === undefined) return undefined;
  const { known, parts } = split(row, paths);
  const { data } = schema.safeParse(known);
  return data === undefined ? undefined : withParts(data, parts);
}

function refuse(row: unknown, error: z.core.$ZodError): never {
  const key = anyKey.safeParse(row);
  const name = key.success ? `${key.data.pk} ${key.data.sk}` : 'of unknown key';
  const issue = error.issues.find(({ code }) => code !== 'unrecognized_keys') ?? error.issues[0];
  const where = issue === undefined ? '' : `attribute "${issue.path.join('.')}": ${issue.message}`;
  throw new RowUnreadable(
    `row-unreadable: row ${name}, ${where}; deploy the version that wrote it, or repair the attribute`,
    { cause: error },
  );
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
