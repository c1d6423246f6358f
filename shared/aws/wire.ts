import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Attribute, RowKey } from '../contracts/rows/row.ts';

export type Item = Record<string, AttributeValue>;

/** A row in the form of the wire, without the attributes that are absent. */
export function toItem(row: { readonly [name: string]: Attribute | undefined }): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined) item[name] = toWire(value);
  }
  return item;
}

export const keyItem = ({ pk, sk }: RowKey) => ({ pk: { S: pk }, sk: { S: sk } });

/** @throws RangeError for a number that is none */
export function toWire(value: Attribute): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'boolean') return { BOOL: value };
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${String(value)} cannot stand in a row`);
    return { N: String(value) };
  }
  if (value instanceof Set) return { SS: [...value] };
  if (isList(value)) return { L: value.map(toWire) };
  return { M: toItem(value) };
}

const isList = (value: Attribute): value is readonly Attribute[] => Array.isArray(value);

/** An item as plain values, for a codec to read. */
export function fromItem(item: Item): Readonly<Record<string, unknown>> {
  return unmarshall(item);
}
