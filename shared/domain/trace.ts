import type { BatchId, MoveId } from './ids.ts';

/** Where in a trace something stands, as W3C Trace Context has it. */
export interface TracePlace {
  /** 32 lower-case hexadecimal digits. */
  readonly trace: string;
  /** 16 lower-case hexadecimal digits. */
  readonly span: string;
  /** Whoever began the trace wants it kept. */
  readonly sampled: boolean;
  /** In [0, 1), the same for all that is a part of it: where only a share of many is kept, those below it. */
  readonly lot?: number;
}

/** What rows keep of a publisher's trace; without one, all of a trace is made of ids. */
export interface Traced {
  /** The `traceparent` with which the request came. */
  readonly traceparent?: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const sampledBit = 1;

/** @returns undefined for what W3C Trace Context says is to be passed over; later versions are read as far as this one goes */
export function readTraceparent(text: string): TracePlace | undefined {
  const [, version, trace = '', span = '', flags = '', more] = form.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(trace) || /^0+$/.test(span)) return undefined;
  return { trace, span, sampled: (Number.parseInt(flags, 16) & sampledBit) === sampledBit };
}

export const writeTraceparent = ({ trace, span, sampled }: TracePlace): string =>
  `00-${trace}-${span}-${sampled ? '01' : '00'}`;

/** What a trace of ours begins with; behind it is the id of the batch that the request makes, or would make. */
const ownTraces = 'd4a7a6e00000';

/** The batch whose trace this is, where it was not a publisher who began it. */
export function batchDigitsOf(trace: string): string | undefined {
  return trace.startsWith(ownTraces) ? trace.slice(ownTraces.length) : undefined;
}

/**
 * The root of all that follows from a request, under its publisher's span if there is one. Made of the id of the batch
 * that the request makes, or would make if it made one: whoever has that id knows the place, whatever was lost.
 */
export function placeOfRequest({ id, traceparent }: { readonly id: BatchId } & Traced): TracePlace {
  const digits = digitsOf(id);
  const publisher = publisherOf({ traceparent });
  return {
    trace: publisher?.trace ?? `${ownTraces}${digits}`,
    span: digits.slice(0, spanDigits),
    sampled: publisher?.sampled ?? true,
  };
}

/** The publisher's own span. */
export const publisherOf = ({ traceparent }: Partial<Record<keyof Traced, string | undefined>>) =>
  traceparent === undefined ? undefined : readTraceparent(traceparent);

/** From when a batch is made until all of it has arrived or been given up: a part of its request. */
export function placeOfBatch(batch: { readonly id: BatchId } & Traced): TracePlace {
  return { ...placeOfRequest(batch), span: digitsOf(batch.id).slice(-spanDigits) };
}

/** A run of a move, from when it is made until it is settled: a part of its batch. */
export function placeOfMove({ id, batch, execution: { run }, traceparent }: MoveInTrace): TracePlace {
  const { trace, sampled } = placeOfRequest({
    id: batch,
    ...(traceparent === undefined ? {} : { traceparent }),
  });
  const digits = digitsOf(id);
  const span = (BigInt(`0x${digits}`) + BigInt(run - 1)) & lastSpan;
  return {
    trace,
    span: span.toString(16).padStart(spanDigits, '0'),
    sampled,
    lot: Number.parseInt(digits.slice(0, lotDigits), 16) / 16 ** lotDigits,
  };
}

interface MoveInTrace extends Traced {
  readonly id: MoveId;
  readonly batch: BatchId;
  readonly execution: { readonly run: number };
}

const spanDigits = 16;
const lotDigits = 8;
const lastSpan = 2n ** 64n - 1n;

/** Ids are made of hexadecimal digits; of the letters that they may have besides, each stands for one of these. */
const digitsOf = (id: BatchId | MoveId): string =>
  Array.from(id.slice(id.indexOf('_') + 1), (digit) => (Number.parseInt(digit, 36) % 16).toString(16)).join(
    '',
  );
