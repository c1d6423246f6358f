import * as z from 'zod';
import { knobDefaults, type Fleet } from '../../domain/fleet.ts';
import { RowUnreadable } from '../../ports/failures.ts';
import { countField, durationField, encodePause, holdField, pauseFields } from './fields.ts';
import { readRow } from './read-row.ts';
import { asRecord, envelope, type RowCodec } from './row.ts';

const key = { pk: 'FLEET', sk: 'FLEET' };

/** A knob that came after the row was written stands at its default. */
const knobsField = z.strictObject({
  movesInAll: countField.default(knobDefaults.movesInAll),
  movesPerZone: countField.default(knobDefaults.movesPerZone),
  movesPerBatch: countField.default(knobDefaults.movesPerBatch),
  startsPerMinute: countField.default(knobDefaults.startsPerMinute),
  pauseBudgetMs: z.exactOptional(durationField),
  healing: z.enum(['on', 'off']).default(knobDefaults.healing),
  graceMs: durationField.default(knobDefaults.graceMs),
}) satisfies z.ZodType<Fleet['knobs']>;

const turned = z.exactOptional(holdField);

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('fleet'),
  knobs: knobsField,
  turned: z.strictObject({
    movesInAll: turned,
    movesPerZone: turned,
    movesPerBatch: turned,
    startsPerMinute: turned,
    pauseBudgetMs: turned,
    healing: turned,
    graceMs: turned,
  }),
  throttle: z.exactOptional(
    z.strictObject({ all: z.exactOptional(countField), zones: z.record(z.string(), countField) }),
  ),
  ...pauseFields,
});

/** The one row that is about the whole installation; absent until somebody has set something. */
export const fleetRow: RowCodec<object, Fleet> = {
  kind: 'fleet',
  key: () => key,
  keyOf: ({ pk, sk }) => {
    if (pk !== key.pk || sk !== key.sk) throw new RowUnreadable(`row-unreadable: "${pk}" is not the fleet's`);
    return {};
  },
  encode: ({ knobs, turned: turns, throttle, ...fleet }) => ({
    ...key,
    ...fleet,
    kind: 'fleet',
    knobs: { ...knobs },
    turned: Object.fromEntries(Object.entries(turns).map(([knob, by]) => [knob, { ...by }])),
    throttle: throttle === undefined ? undefined : { ...throttle, zones: { ...throttle.zones } },
    ...encodePause(fleet),
  }),
  decode: (row) => {
    const { pk: _pk, sk: _sk, kind: _kind, commitId: _commit, ...fleet } = readRow(schema, row);
    return asRecord<Fleet>()(fleet);
  },
  kept: [],
};
