import type { TracePlace } from '../domain/trace.ts';

/** What a span is about, by name: ids, names, codes and numbers; never a secret, never a body. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that people want to see in its time and place. */
export interface SpanHead {
  readonly name: string;
  /** What it is a part of; absent: of the span around it, and without one it begins a trace of its own. */
  readonly partOf?: TracePlace;
  /** Its own place, where others know it beforehand. */
  readonly at?: TracePlace;
  /** When it began (epoch milliseconds), if that was before now. */
  readonly since?: number;
  /** It is worth telling only if a part of it is told. */
  readonly ifParts?: true;
  readonly facts: SpanFacts;
}

/** A span that is under way. */
export interface OpenSpan {
  add(facts: SpanFacts): void;
  /** It has failed, with this code: nobody need throw for it. */
  fail(code: string): void;
  /** Not worth telling. */
  forget(): void;
}

/** Something that is over, told by whoever sees its end. */
export interface ToldSpan extends Omit<SpanHead, 'ifParts'> {
  readonly at: TracePlace;
  readonly since: number;
  /** Epoch milliseconds. */
  readonly until: number;
  /** The code with which it failed. */
  readonly failure?: string;
}

/**
 * Spans for people: never asked when something is decided, and never in the way. What is a part of what follows from
 * rows, so that a trace hangs together whatever dies; over a queue a span is linked to the one that sent the message.
 */
export interface Tracer {
  /** Does the work as a span. What it throws is told as its failure, and thrown. */
  during<T>(head: SpanHead, work: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** Does the work in this place, without a span of its own: what is sent and logged meanwhile says so. */
  within<T>(place: TracePlace, work: () => Promise<T>): Promise<T>;
  tell(span: ToldSpan): void;
}

const nobodyListens: OpenSpan = { add: () => undefined, fail: () => undefined, forget: () => undefined };

/** For whoever works where nobody looks. */
export const untraced: Tracer = {
  during: async (_, work) => work(nobodyListens),
  within: async (_, work) => work(),
  tell: () => undefined,
};
