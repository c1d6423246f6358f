import * as z from 'zod';
import type { Scaler } from '../../domain/scaling.ts';
import { countField, timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, type RowCodec } from './row.ts';

const dial = z.exactOptional(countField);
const dialsField = z.strictObject({ out: dial, in: dial, moves: dial });
const heard = z.exactOptional(
  z.strictObject({ state: z.enum(['alarm', 'ok']), at: timeField, name: z.string() }),
);

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('scaler'),
  listing: z.literal('scaler'),
  target: z.string(),
  dials: dialsField,
  alarms: z.strictObject({ wait: heard, lag: heard, latency: heard }),
  watch: z.strictObject({ from: timeField, peak: countField, before: z.exactOptional(countField) }),
  decisions: z.array(
    z.strictObject({
      at: timeField,
      direction: z.enum(['out', 'in']),
      from: dialsField,
      to: dialsField,
      reason: z.string(),
    }),
  ),
  lastOutAt: z.exactOptional(timeField),
  lastInAt: z.exactOptional(timeField),
});

/** What is known of one target of the autoscaler, and what it has decided of late. */
export const scalerRow: RowCodec<Pick<Scaler, 'target'>, Scaler> = {
  kind: 'scaler',
  key: ({ target }) => ({ pk: `SCALER#${target}`, sk: 'SCALER' }),
  keyOf: ({ pk }) => ({ target: afterPrefix('SCALER#', pk) }),
  encode: ({ dials, alarms, watch, decisions, ...scaler }) => ({
    ...scalerRow.key(scaler),
    ...scaler,
    kind: 'scaler',
    listing: 'scaler',
    dials: { ...dials },
    alarms: Object.fromEntries(Object.entries(alarms).map(([signal, news]) => [signal, { ...news }])),
    watch: { ...watch },
    decisions: decisions.map((each) => ({ ...each, from: { ...each.from }, to: { ...each.to } })),
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      listing: _listing,
      ...scaler
    } = readRow(schema, row);
    return asRecord<Scaler>()(scaler);
  },
  kept: [],
};
