import { createHash } from 'node:crypto';
import stringify from 'fast-json-stable-stringify';
import * as z from 'zod';
import type { EventHead, Parsed, Refusal } from '../../domain/event.ts';
import type { Json } from '../../domain/json.ts';
import { readTraceparent } from '../../domain/trace.ts';
import { hashOfText, isOfApi } from '../api/posting.ts';
import { timeField } from '../fields.ts';
import { refusalOf } from './refusal.ts';
import { isPrintable, readUntrusted } from './untrusted-json.ts';

/** Source and id are keys of the table, which takes so many bytes. */
const longestIdentity = 800;

const identity = (what: string) => {
  const error = `${what}: 1 to 256 characters without spaces, at most ${String(longestIdentity)} bytes`;
  return z
    .string({ error })
    .regex(/^\S{1,256}$/u, { error })
    .refine((text) => Buffer.byteLength(text) <= longestIdentity, { error });
};
const sourceField = identity('a URI reference that names the publisher');
const idField = identity('the id that the publisher gives this event');
const typeField = identity('the type of the event');

/** Attributes of other specifications may stand beside ours; of them `traceparent` is read. */
const extension = z.union([z.string().max(2_048), z.number(), z.boolean()], {
  error: 'a text, number or truth value, as CloudEvents asks of extension attributes',
});

/** A CloudEvents 1.0 event in structured JSON mode. */
const cloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: idField,
    source: sourceField,
    type: typeField,
    time: timeField.optional(),
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
  /**
   * Epoch milliseconds: the event's own `time`, or else when it was received. Never later than that: a clock that
   * is ahead must not put off what others say afterwards.
   */
  readonly at: number;
  /** Epoch milliseconds: when it was received. */
  readonly receivedAt: number;
}

/** What a topic takes. */
export interface TopicContract<E> {
  readonly topic: string;
  /** By event type: the types that are accepted here. */
  readonly readers: Readonly<Record<string, DataReader<E>>>;
  /** Takes what is no CloudEvent and has a meaning here all the same; undefined: it has none. */
  readonly foreign?: (value: unknown, receivedAt: number) => Foreign<E> | undefined;
}

/** Something of the world's own form. One without a head is called after its content. */
export type Foreign<E> =
  | { readonly kind: 'event'; readonly head: EventHead; readonly event: E }
  | { readonly kind: 'refused'; readonly head: EventHead | undefined; readonly refusal: Refusal };

/** Reads one event. Pure: the same text is the same event, or the same refusal, for ever. */
export function parseEvent<E>(
  text: string,
  receivedAt: number,
  { topic, readers, foreign }: TopicContract<E>,
): Parsed<E> {
  const read = readUntrusted(text);
  if (read.kind === 'refused')
    return { kind: 'refused', head: headIn(topic, text, read.value), refusal: read.refusal };
  const other = foreign?.(read.value, receivedAt);
  if (other?.kind === 'event') return other;
  if (other !== undefined) return { ...other, head: other.head ?? headIn(topic, text, read.value) };
  const envelope = cloudEvent.safeParse(read.value);
  if (!envelope.success) {
    const refusal = refusalOf(envelope.error, read.value);
    return { kind: 'refused', head: headIn(topic, text, read.value), refusal };
  }
  const { source, id, type, time, data } = envelope.data;
  const head: EventHead = {
    source,
    id,
    type,
    bodyHash: hashOf(type, data),
    ...textHashOf(source, text),
    ...traceOf(envelope.data['traceparent']),
  };
  const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (reader === undefined) return { kind: 'refused', head, refusal: unknownType(Object.keys(readers)) };
  const at = time === undefined ? receivedAt : Math.min(receivedAt, Date.parse(time));
  const outcome = reader(data, { at, receivedAt });
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

/** What of an event must be readable for its refusal to stand under its publisher's name. */
const heading = z.object({ source: sourceField, id: idField, type: typeField.catch('unknown') });

/**
 * The head of an event that is not one: its publisher's as far as it can be read. Else it is called after its
 * content, under a source that no publisher can have because there are spaces in it.
 */
function headIn(topic: string, text: string, value: unknown): EventHead {
  const bodyHash = createHash('sha256').update(text).digest('hex');
  const found = heading.safeParse(value);
  if (found.success && isPrintable(Object.values(found.data).join('')))
    return { ...found.data, bodyHash, ...textHashOf(found.data.source, text) };
  return { source: `unreadable on ${topic}`, id: bodyHash.slice(0, 32), type: 'unknown', bodyHash };
}

const textHashOf = (source: string, text: string): Pick<EventHead, 'textHash'> =>
  isOfApi(source) ? { textHash: hashOfText(text) } : {};

/** A trace is for those who look, and no reason to refuse what is asked for. */
function traceOf(traceparent: unknown): Pick<EventHead, 'traceparent' | 'traceUnreadable'> {
  if (traceparent === undefined) return {};
  return typeof traceparent === 'string' && readTraceparent(traceparent) !== undefined
    ? { traceparent }
    : { traceUnreadable: true };
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
