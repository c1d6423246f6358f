import { z } from 'zod';
import { scalar } from './write-requests.ts';

/** An item as DynamoDB writes it on the wire. */
export type Item = Readonly<Record<string, unknown>>;

interface IndexShape {
  readonly name: string;
  readonly hash: string;
  readonly range: string | undefined;
  /** Attributes held besides the keys; nothing means all. */
  readonly projected: ReadonlySet<string> | undefined;
}

/** What the write meter must know of a table. */
export interface TableShape {
  readonly name: string;
  readonly hash: string;
  readonly range: string | undefined;
  readonly indexes: readonly IndexShape[];
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }));
const definition = z.object({
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({
          ProjectionType: z.string(),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
      }),
    )
    .default([]),
});

function keyOf(keys: z.infer<typeof keySchema>, type: string): string | undefined {
  return keys.find((key) => key.KeyType === type)?.AttributeName;
}

/** Reads the shape from a table's CloudFormation properties. */
export function tableShape(name: string, properties: unknown): TableShape {
  const table = definition.parse(properties);
  const own = table.KeySchema.map((key) => key.AttributeName);
  return {
    name,
    hash: keyOf(table.KeySchema, 'HASH') ?? '',
    range: keyOf(table.KeySchema, 'RANGE'),
    indexes: table.GlobalSecondaryIndexes.map((index) => ({
      name: index.IndexName,
      hash: keyOf(index.KeySchema, 'HASH') ?? '',
      range: keyOf(index.KeySchema, 'RANGE'),
      projected:
        index.Projection.ProjectionType === 'ALL'
          ? undefined
          : new Set([
              ...own,
              ...index.KeySchema.map((key) => key.AttributeName),
              ...(index.Projection.NonKeyAttributes ?? []),
            ]),
    })),
  };
}

/** The text of the attribute, when it is a key's scalar. */
export function keyValue(item: Item | undefined, attribute: string): string | undefined {
  return item === undefined ? undefined : scalar(item[attribute]);
}

function projection(index: IndexShape, item: Item | undefined): Item | undefined {
  if (item?.[index.hash] === undefined) return undefined;
  if (index.range !== undefined && item[index.range] === undefined) return undefined;
  const { projected } = index;
  if (projected === undefined) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => projected.has(name)));
}

/** An index write that an item's change causes: one unit per started KB, on the index's partition key. */
export interface IndexWrite {
  readonly index: string;
  readonly key: string;
  readonly units: number;
}

/**
 * What a change costs on the indexes: nothing when their projection did not change; one write to update in place;
 * two (remove, add) when the index key changed.
 */
export function indexWrites(
  table: TableShape,
  before: Item | undefined,
  after: Item | undefined,
): IndexWrite[] {
  return table.indexes.flatMap((index) => {
    const old = projection(index, before);
    const fresh = projection(index, after);
    if (old === undefined && fresh === undefined) return [];
    const [oldKey, freshKey] = [place(index, old), place(index, fresh)];
    if (old !== undefined && fresh !== undefined && oldKey === freshKey) {
      if (canonical(old) === canonical(fresh)) return [];
      return [write(index, fresh)];
    }
    return [old, fresh].flatMap((side) => (side === undefined ? [] : [write(index, side)]));
  });
}

function write(index: IndexShape, item: Item): IndexWrite {
  return {
    index: index.name,
    key: keyValue(item, index.hash) ?? '',
    units: Math.max(1, Math.ceil(JSON.stringify(item).length / 1024)),
  };
}

function place(index: IndexShape, item: Item | undefined): string | undefined {
  if (item === undefined) return undefined;
  return JSON.stringify([item[index.hash], index.range === undefined ? null : item[index.range]]);
}

function canonical(item: Item): string {
  return JSON.stringify(Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1)));
}
