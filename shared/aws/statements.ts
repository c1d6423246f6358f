import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../contracts/rows/row.ts';
import type { RowChange } from './row-change.ts';
import { keyItem, toItem, toWire } from './wire.ts';

/** A PartiQL statement that writes one row. */
export interface Statement {
  readonly Statement: string;
  readonly Parameters: AttributeValue[];
  /** Lets a loser see whose write it lost to. */
  readonly ReturnValuesOnConditionCheckFailure: 'ALL_OLD';
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const statement = (text: string, parameters: AttributeValue[]): Statement => ({
  Statement: text,
  Parameters: parameters,
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
});

export function insertStatement(table: string, row: Row): Statement {
  const item = toItem(row);
  const names = Object.keys(item).map((name) => `'${name.replaceAll("'", "''")}': ?`);
  return statement(`INSERT INTO ${quoted(table)} VALUE {${names.join(', ')}}`, Object.values(item));
}

const onVersion = 'WHERE "pk"=? AND "sk"=? AND "version"=?';

/**
 * An update of the row if it has `version`; undefined if it removes more than one attribute, for which the
 * dialects of PartiQL have no common form.
 */
export function updateStatement(
  table: string,
  key: RowKey,
  version: number,
  { set, remove }: RowChange,
): Statement | undefined {
  if (remove.length > 1) return undefined;
  const sets = set.map(([name]) => `${quoted(name)}=?`).join(', ');
  const removes = remove.map((name) => ` REMOVE ${quoted(name)}`).join('');
  return statement(`UPDATE ${quoted(table)} SET ${sets}${removes} ${onVersion}`, [
    ...set.map(([, value]) => toWire(value)),
    ...keyAndVersion(key, version),
  ]);
}

export function deleteStatement(table: string, key: RowKey, version: number): Statement {
  return statement(`DELETE FROM ${quoted(table)} ${onVersion}`, keyAndVersion(key, version));
}

const keyAndVersion = (key: RowKey, version: number): AttributeValue[] => [
  { S: key.pk },
  { S: key.sk },
  { N: String(version) },
];

/** The same update as a call of its own. */
export function updateInput(
  table: string,
  key: RowKey,
  version: number,
  { set, remove }: RowChange,
): UpdateItemCommandInput {
  const sets = set.map((_, index) => `#s${String(index)} = :s${String(index)}`);
  const removes = remove.map((_, index) => `#r${String(index)}`);
  return {
    TableName: table,
    Key: keyItem(key),
    UpdateExpression: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: {
      '#version': 'version',
      ...Object.fromEntries(set.map(([name], index) => [`#s${String(index)}`, name])),
      ...Object.fromEntries(remove.map((name, index) => [`#r${String(index)}`, name])),
    },
    ExpressionAttributeValues: {
      ':version': { N: String(version) },
      ...Object.fromEntries(set.map(([, value], index) => [`:s${String(index)}`, toWire(value)])),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
