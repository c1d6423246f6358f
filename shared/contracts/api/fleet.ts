import * as z from 'zod';
import { knobDefaults } from '../../domain/fleet.ts';
import { count, milliseconds, time, version, word } from './fields.ts';
import { from } from './source.ts';

/** A knob that was never turned, or came after the row was written, stands at its default. */
const knob = (byDefault: number) => from(count, { otherwise: String(byDefault) });
const turned = word.optional();

/** `GET /fleet`: what is set for the whole installation; the defaults where nothing was ever set. */
export const fleetAnswer = z.object({
  knobs: z
    .object({
      movesInAll: knob(knobDefaults.movesInAll),
      movesPerZone: knob(knobDefaults.movesPerZone),
      movesPerBatch: knob(knobDefaults.movesPerBatch),
      startsPerMinute: knob(knobDefaults.startsPerMinute),
      pauseBudgetMs: milliseconds.optional(),
      healing: from(z.enum(['on', 'off']), { otherwise: `"${knobDefaults.healing}"` }),
      graceMs: from(milliseconds, { otherwise: String(knobDefaults.graceMs) }),
    })
    .meta({ description: 'What operators turn: see dray knob' }),
  turned: z
    .object({
      movesInAll: turned,
      movesPerZone: turned,
      movesPerBatch: turned,
      startsPerMinute: turned,
      pauseBudgetMs: turned,
      healing: turned,
      graceMs: turned,
    })
    .meta({ description: 'Who turned each knob last' }),
  throttle: z
    .object({ all: count.optional(), zones: z.record(z.string(), count) })
    .optional()
    .meta({ description: 'Fewer moves at once than the knobs allow, while the autoscaler says so' }),
  paused: word.optional().meta({ description: 'While it is there, nothing begins and nothing cuts over' }),
  resumed: word.optional(),
  version: from(version, { otherwise: '0' }),
});

const dial = count.optional();
const permits = z
  .object({ out: dial, in: dial, moves: dial })
  .meta({ description: 'Of a host those of its two sides; of a zone, and of all, the moves at once' });
const heard = z
  .object({ state: z.enum(['alarm', 'ok']), at: time, name: z.string() })
  .optional()
  .meta({ description: 'The newest state of this alarm, and since when' });

/** A target of the autoscaler in `GET /scaling`: what it has heard of it, and has decided. */
export const scalingAnswer = z.object({
  target: from(z.string(), { attribute: 'pk', after: 'SCALER#'.length }).meta({
    description: '`all`, `zone/<zone>` or `host/<host>`',
  }),
  permits: from(permits, { attribute: 'dials' }),
  alarms: z.object({ wait: heard, lag: heard, latency: heard }),
  decisions: z
    .array(
      z.object({
        at: time,
        direction: z.enum(['out', 'in']),
        from: permits,
        to: permits,
        reason: z.string(),
      }),
    )
    .meta({ description: 'The last ones, the newest first' }),
});
