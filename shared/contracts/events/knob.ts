import * as z from 'zod';
import { knobNames, type KnobName } from '../../domain/fleet.ts';
import { lineField } from '../fields.ts';
import { durationField } from './duration.ts';

const most = 100_000;
const figureRule = `a whole number from 1 to ${String(most)} (to let nothing begin, pause instead), or null for its default`;
const figure = z.int({ error: figureRule }).min(1, { error: figureRule }).max(most, { error: figureRule });

/** What one knob is to be; null is its default. */
const setting = <K extends KnobName, Value>(knob: K, value: z.ZodType<Value>) =>
  z
    .strictObject({ knob: z.literal(knob), value: value.nullable(), reason: lineField(500) })
    .transform(({ value: set, reason }) => ({
      reason,
      setting: set === null ? { knob } : { knob, value: set },
    }));

/** `data` of `knob.set`: a setting of the whole installation that counts from now on. */
export const knobSet = z.discriminatedUnion(
  'knob',
  [
    setting('movesInAll', figure),
    setting('movesPerZone', figure),
    setting('movesPerBatch', figure),
    setting('startsPerMinute', figure),
    setting('pauseBudgetMs', durationField(10, 600_000, 'from 10 ms to 10 minutes')),
    setting('healing', z.enum(['on', 'off'], { error: '"on" or "off", or null for its default' })),
    setting('graceMs', durationField(0, 86_400_000, 'from 0 to 24 hours')),
  ],
  {
    error: ({ input }) =>
      typeof input === 'object' && input !== null
        ? `the name of a knob: ${knobNames.join(', ')}`
        : 'an object of knob, value and reason',
  },
);
