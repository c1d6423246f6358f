import { createHash } from 'node:crypto';
import stringify from 'fast-json-stable-stringify';
import * as z from 'zod';
import type { EventHead, Parsed, Refusal } from '../../domain/event.ts';
import type { Json } from '../../domain/json.ts';
import { refusalOf } from './refusal.ts';
import { readUntrusted } from './untrusted-json.ts';

const identity = (what: string) => {
  const error = `${what}: 1 to 256 characters without spaces`;
  return z.string({ error }).regex(/^\S{1,256}$/u, { error });
};

/** Attributes of other specifications (`traceparent`, …) may stand beside ours; they are not read. */
const extension = z.union([z.string().max(2_048), z.number(), z.boolean()], {
  error: 'a text, number or truth value, as CloudEvents asks of extension attributes',
});

/** A CloudEvents 1.0 event in structured JSON mode. */
const cloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: identity('the id that the publisher gives this event'),
    source: identity('a URI reference that names the publisher'),
    type: identity('the type of the event'),
    time: z.iso
      .datetime({ offset: true, error: 'a time as in RFC 3339, e.g. "2026-01-31T12:00:00Z"' })
      .optional(),
    subject: z.string().max(256).optional(),
    datacontenttype: z.literal('application/json').optional(),
    dataschema: z.string().max(1_024).optional(),
    data: z.json(),
  })
  .catchall(extension);

/** What a reader of one type makes of `data`. */
export type DataReader<E> = (
  data: Json,
  context: EventContext,
) => { readonly event: E } | { readonly refusal: Refusal };

/** What an event may take its defaults from. */
export interface EventContext {
  /** Epoch milliseconds: the event's own `time`, or else when it was received. */
  readonly at: number;
}

/**
 * Reads one event. Pure: the same text is the same event, or the same refusal, for ever.
 * @param readers by event type: the types that are accepted here
 */
export function parseEvent<E>(
  text: string,
  receivedAt: number,
  readers: Readonly<Record<string, DataReader<E>>>,
): Parsed<E> {
  const read = readUntrusted(text);
  if (read.kind === 'refused') return read;
  const envelope = cloudEvent.safeParse(read.value);
  if (!envelope.success) return { kind: 'refused', refusal: refusalOf(envelope.error, read.value) };
  const { source, id, type, time, data } = envelope.data;
  const head: EventHead = { source, id, type, bodyHash: hashOf(type, data) };
  const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (reader === undefined) return { kind: 'refused', head, refusal: unknownType(Object.keys(readers)) };
  const outcome = reader(data, { at: time === undefined ? receivedAt : Date.parse(time) });
  return 'event' in outcome
    ? { kind: 'event', head, event: outcome.event }
    : { kind: 'refused', head, refusal: outcome.refusal };
}

/** A reader that checks `data` against a schema whose output is the event. */
export function reads<Data, E>(
  schema: z.ZodType<Data>,
  toEvent: (data: Data, context: EventContext) => E,
): DataReader<E> {
  return (data, context) => {
    const result = schema.safeParse(data);
    return result.success
      ? { event: toEvent(result.data, context) }
      : { refusal: refusalOf(result.error, data, ['data']) };
  };
}

function hashOf(type: string, data: Json): string {
  return createHash('sha256').update(stringify({ type, data })).digest('hex');
}

function unknownType(known: readonly string[]): Refusal {
  return {
    code: 'type-unknown',
    field: 'type',
    sentence: 'This topic does not take events of that type.',
    cure: `Send one of: ${known.join(', ')}.`,
  };
}
