import type { TracePlace } from '../domain/trace.ts';
import type { SpanFacts } from '../ports/tracer.ts';
import type { FinishedSpan } from './tracer.ts';

/** What all spans of a process are of. */
export type SpanOrigin = Readonly<Record<string, string>>;

/** Numbers by which OTLP calls these. */
const kinds = { internal: 1, consumer: 5 } as const;
const failed = 2;

/** Spans as the body of a request of OTLP over HTTP, in JSON: ids are hexadecimal there, and times are texts. */
export function otlpBody(spans: readonly FinishedSpan[], origin: SpanOrigin): string {
  const scopeSpans = [{ scope: { name: 'drayage' }, spans: spans.map(spanOf) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(origin) }, scopeSpans }] });
}

function spanOf({ name, at, partOf, since, until, facts, failure, links }: FinishedSpan) {
  return {
    ...idsOf(at),
    ...(partOf === undefined ? {} : { parentSpanId: partOf.span }),
    name,
    // What a message has set going says so by its link.
    kind: links.length === 0 ? kinds.internal : kinds.consumer,
    startTimeUnixNano: nanoseconds(since),
    endTimeUnixNano: nanoseconds(until),
    attributes: attributesOf(facts),
    links: links.map(idsOf),
    status: failure === undefined ? {} : { code: failed, message: failure },
  };
}

const idsOf = ({ trace, span }: TracePlace) => ({ traceId: trace, spanId: span });

/** @param ms whole milliseconds */
const nanoseconds = (ms: number): string => `${String(Math.floor(ms))}000000`;

const attributesOf = (facts: SpanFacts) =>
  Object.entries(facts).map(([key, value]) => ({ key, value: valueOf(value) }));

function valueOf(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}
