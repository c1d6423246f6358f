import * as z from 'zod';
import type { Pace } from '../../domain/pace.ts';
import { RowUnreadable } from '../../ports/failures.ts';
import { batchIdField, countField, hostField, moveIdField, timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { asRecord, envelope, type RowCodec } from './row.ts';

const key = { pk: 'PACE', sk: 'PACE' };

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('pace'),
  minute: timeField,
  starts: countField,
  granted: z.array(
    z.strictObject({
      id: moveIdField,
      batch: batchIdField,
      source: hostField,
      target: hostField,
      at: timeField,
    }),
  ),
});

/** The one row by which looks of the dispatcher follow each other. */
export const paceRow: RowCodec<object, Pace> = {
  kind: 'pace',
  key: () => key,
  keyOf: ({ pk, sk }) => {
    if (pk !== key.pk || sk !== key.sk) throw new RowUnreadable(`row-unreadable: "${pk}" is not the pace's`);
    return {};
  },
  encode: ({ granted, ...pace }) => ({
    ...key,
    ...pace,
    kind: 'pace',
    granted: granted.map((each) => ({ ...each })),
  }),
  decode: (row) => {
    const { pk: _pk, sk: _sk, kind: _kind, commitId: _commit, ...pace } = readRow(schema, row);
    return asRecord<Pace>()(pace);
  },
  kept: [],
};
