import { z } from 'zod';

/** One item that a request wants to write. */
export interface ItemWrite {
  readonly table: string;
  /** The partition key's value, when the request shows it. */
  readonly key: string | undefined;
  /** The sort key's value, when the table has one and the request shows it. */
  readonly range: string | undefined;
  /** Every string or number that the request would store: where a hot index key may show. */
  readonly values: readonly string[];
}

/** Names of a table's key attributes. */
export interface KeyNames {
  readonly hash: string;
  readonly range: string | undefined;
}

/** Names of a table's key attributes, or nothing for a table we do not know. */
export type KeysOf = (table: string) => KeyNames | undefined;

/** Operations that write. */
export const WRITE_OPERATIONS: ReadonlySet<string> = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'TransactWriteItems',
  'ExecuteStatement',
  'BatchExecuteStatement',
  'ExecuteTransaction',
]);

/** Operations of the table that read, and whose answers say what they consumed. */
export const READ_OPERATIONS: ReadonlySet<string> = new Set([
  'GetItem',
  'BatchGetItem',
  'Query',
  'Scan',
  'TransactGetItems',
]);

const attributes = z.record(z.string(), z.unknown());
const single = z.object({
  TableName: z.string(),
  Item: attributes.optional(),
  Key: attributes.optional(),
  ExpressionAttributeValues: attributes.optional(),
});
const statement = z.object({ Statement: z.string(), Parameters: z.array(z.unknown()).default([]) });
const transactItem = z.object({
  Put: single.optional(),
  Update: single.optional(),
  Delete: single.optional(),
});
const batchEntry = z.object({
  PutRequest: z.object({ Item: attributes }).optional(),
  DeleteRequest: z.object({ Key: attributes }).optional(),
});

/**
 * What a request writes, item by item and in the request's own order (`TransactWriteItems`, the batches: one
 * element per item or statement; nothing at the place of a read).
 */
export function writesOf(operation: string, body: unknown, keysOf: KeysOf): (ItemWrite | undefined)[] {
  switch (operation) {
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [singleWrite(single.parse(body), keysOf)];
    case 'TransactWriteItems':
      return z
        .object({ TransactItems: z.array(transactItem) })
        .parse(body)
        .TransactItems.map((item) => item.Put ?? item.Update ?? item.Delete)
        .map((item) => (item === undefined ? undefined : singleWrite(item, keysOf)));
    case 'BatchWriteItem':
      return Object.entries(
        z.object({ RequestItems: z.record(z.string(), z.array(batchEntry)) }).parse(body).RequestItems,
      )
        .flatMap(([table, entries]) => entries.map((entry) => ({ table, entry })))
        .map(({ table, entry }) =>
          singleWrite(
            { TableName: table, Item: entry.PutRequest?.Item, Key: entry.DeleteRequest?.Key },
            keysOf,
          ),
        );
    case 'ExecuteStatement':
      return [statementWrite(statement.parse(body), keysOf)];
    case 'BatchExecuteStatement':
      return z
        .object({ Statements: z.array(statement) })
        .parse(body)
        .Statements.map((one) => statementWrite(one, keysOf));
    case 'ExecuteTransaction':
      return z
        .object({ TransactStatements: z.array(statement) })
        .parse(body)
        .TransactStatements.map((one) => statementWrite(one, keysOf));
    default:
      return [];
  }
}

function singleWrite(request: z.infer<typeof single>, keysOf: KeysOf): ItemWrite {
  const shown = request.Item ?? request.Key ?? {};
  const keys = keysOf(request.TableName);
  return {
    table: request.TableName,
    key: keys === undefined ? undefined : scalar(shown[keys.hash]),
    range: keys?.range === undefined ? undefined : scalar(shown[keys.range]),
    values: [
      ...Object.values(request.Item ?? {}),
      ...Object.values(request.ExpressionAttributeValues ?? {}),
    ].flatMap((value) => scalar(value) ?? []),
  };
}

function statementWrite(request: z.infer<typeof statement>, keysOf: KeysOf): ItemWrite | undefined {
  const table = /^\s*(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+"?([\w.-]+)"?/i.exec(request.Statement)?.[1];
  if (table === undefined) return undefined;
  const keys = keysOf(table);
  return {
    table,
    key: keys === undefined ? undefined : operandOf(keys.hash, request),
    range: keys?.range === undefined ? undefined : operandOf(keys.range, request),
    values: request.Parameters.flatMap((value) => scalar(value) ?? []),
  };
}

/** PartiQL: a key stands in `WHERE key = ?` (update, delete) or in `VALUE {'key': ?}` (insert). */
function operandOf(attribute: string, request: z.infer<typeof statement>): string | undefined {
  const text = request.Statement;
  const pattern = /^\s*INSERT/i.test(text)
    ? new RegExp(`['"]?\\b${escape(attribute)}\\b['"]?\\s*:\\s*(\\?|'[^']*')`)
    : new RegExp(`\\bWHERE\\b[\\s\\S]*?\\b${escape(attribute)}\\b"?\\s*=\\s*(\\?|'[^']*')`, 'i');
  const found = pattern.exec(text);
  const operand = found?.[1];
  if (found === null || operand === undefined) return undefined;
  if (operand !== '?') return operand.slice(1, -1);
  const place = found.index + found[0].length - 1;
  return scalar(request.Parameters[text.slice(0, place).split('?').length - 1]);
}

/** The text of an attribute value of type S or N; other types are no keys of ours. */
export function scalar(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('S' in value && typeof value.S === 'string') return value.S;
  if ('N' in value && typeof value.N === 'string') return value.N;
  return undefined;
}

function escape(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
