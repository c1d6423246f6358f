import { createHash } from 'node:crypto';
import stringify from 'fast-json-stable-stringify';
import * as z from 'zod';
import type { Alarm } from '../../domain/alarm.ts';
import type { EventHead, Refusal } from '../../domain/event.ts';
import { lineField } from '../fields.ts';
import { refusalOf } from './refusal.ts';

/** As CloudWatch writes it: the offset has no colon. */
const stateChange = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}):?(\d{2})?$/;
const timeRule = 'a time as CloudWatch writes it, e.g. "2026-01-31T12:00:00.000+0000"';

const arnField = z.string().regex(/^arn:[a-z0-9-]+:cloudwatch:[a-z0-9-]+:\d{12}:alarm:\S(?:.{0,254})$/u, {
  error: 'the ARN of an alarm',
});
const timeField = z.string().refine((text) => !Number.isNaN(timeOf(text)), { error: timeRule });

const dimensions = z
  .array(z.object({ name: z.string().min(1).max(255), value: z.string().min(1).max(1_024) }), {
    error: 'a list of dimensions, each with its name and value',
  })
  .max(30);

/** What of a notification is read; the rest may be missing, or be anything. */
const notification = z.object({
  AlarmName: lineField(255),
  AlarmArn: arnField,
  NewStateValue: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']),
  StateChangeTime: timeField,
  NewStateReason: z.string().nullish().catch(undefined),
  Trigger: z.object({
    /** Of an alarm on one metric, … */
    Dimensions: dimensions.optional(),
    /** … and on several. */
    Metrics: z
      .array(
        z.object({
          MetricStat: z.object({ Metric: z.object({ Dimensions: dimensions.optional() }) }).optional(),
        }),
      )
      .max(500)
      .optional(),
  }),
});

const heading = z.object({ AlarmArn: arnField, StateChangeTime: timeField });

export type AlarmRead =
  | { readonly kind: 'event'; readonly head: EventHead; readonly event: Alarm }
  | {
      readonly kind: 'refused';
      /** Undefined: it does not even say which alarm it is about, and when. */
      readonly head: EventHead | undefined;
      readonly refusal: Refusal;
    };

/** Is it, or is it meant as, what CloudWatch publishes when an alarm changes its state? An event of ours says that it is one. */
export function isAlarm(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, 'specversion')) return false;
  return Object.hasOwn(value, 'AlarmArn') || Object.hasOwn(value, 'AlarmName');
}

/**
 * Reads a notification as CloudWatch publishes it. Its identity is the alarm and the moment: the same change of state
 * is the same event, however often and by whichever way it comes.
 *
 * @param value of which `isAlarm` holds
 * @param receivedAt epoch milliseconds
 */
export function readAlarm(value: unknown, receivedAt: number): AlarmRead {
  const parsed = notification.safeParse(value);
  if (!parsed.success) {
    const found = heading.safeParse(value);
    const head = found.success ? headOf(found.data, value) : undefined;
    return { kind: 'refused', head, refusal: refusalOf(parsed.error, value) };
  }
  const { AlarmName, NewStateValue, NewStateReason, StateChangeTime, Trigger } = parsed.data;
  const all = [
    ...(Trigger.Dimensions ?? []),
    ...(Trigger.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric.Dimensions ?? []),
  ];
  const reason = lineOf(NewStateReason ?? '');
  const event: Alarm = {
    name: AlarmName,
    state: NewStateValue,
    // A clock that is ahead must not put off what is said afterwards.
    at: Math.min(timeOf(StateChangeTime), receivedAt),
    ...(reason === '' ? {} : { reason }),
    dimensions: all.map(({ name, value: of }) => ({ name, value: of })),
  };
  const said = { name: event.name, state: event.state, time: StateChangeTime, dimensions: event.dimensions };
  return { kind: 'event', head: headOf(parsed.data, said), event };
}

function headOf({ AlarmArn, StateChangeTime }: z.output<typeof heading>, said: unknown): EventHead {
  return {
    // Names of alarms may have spaces, sources may not.
    source: AlarmArn.replace(/\s/gu, (space) => encodeURIComponent(space)),
    id: StateChangeTime,
    type: 'cloudwatch.alarm',
    bodyHash: createHash('sha256').update(stringify(said)).digest('hex'),
  };
}

/** Epoch milliseconds; NaN when it is no time. */
function timeOf(text: string): number {
  const [, moment, offset, minutes] = stateChange.exec(text) ?? [];
  if (moment === undefined || offset === undefined || (offset === 'Z') !== (minutes === undefined))
    return Number.NaN;
  return Date.parse(minutes === undefined ? `${moment}Z` : `${moment}${offset}:${minutes}`);
}

/** For the row of a host, which is written with every permit. */
const longestReason = 200;
const lineOf = (text: string): string =>
  Array.from(text.replace(/\s+/gu, ' ').trim()).slice(0, longestReason).join('');
