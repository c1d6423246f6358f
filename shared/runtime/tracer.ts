import type { TracePlace } from '../domain/trace.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { OpenSpan, SpanFacts, SpanHead, ToldSpan, Tracer } from '../ports/tracer.ts';
import { at, spotNow } from './here.ts';

/** A span with all that is known of it. */
export interface FinishedSpan extends ToldSpan {
  /** Who had sent what it worked on, and what it was done in the course of. */
  readonly links: readonly TracePlace[];
}

/** Where spans go. Takes them at once and never throws. */
export interface SpanSink {
  take(span: FinishedSpan): void;
  /** Resolves within a bounded time, whatever becomes of what was taken. */
  flush(): Promise<void>;
}

interface TracerOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly chance: Pick<Chance, 'unique'>;
  readonly sink: SpanSink;
  /** In [0, 1]: of moves, how many are told. */
  readonly share: number;
}

/** A tracer whose spans go somewhere. */
export function createTracer({ clock, chance, sink, share }: TracerOptions): Tracer {
  const isKept = ({ sampled, lot = 0 }: TracePlace): boolean => sampled && lot < share;

  return {
    async during(head, work) {
      const around = spotNow();
      const parent = head.partOf ?? around?.place;
      const place = head.at ?? placeUnder(parent, chance);
      const since = head.since ?? clock.now();
      return at({ place, senders: [] }, async (spot) => {
        const span = new Span(head.facts);
        try {
          return await work(span);
        } catch (error) {
          span.fail(nameOf(error));
          throw error;
        } finally {
          const isTold = !span.isForgotten && (head.ifParts === undefined || spot.parts > 0);
          if (isTold && around !== undefined) around.parts += 1;
          if (isTold && isKept(place))
            sink.take({
              ...headOf(head, parent),
              at: place,
              since,
              until: clock.now(),
              facts: span.facts,
              ...(span.failure === undefined ? {} : { failure: span.failure }),
              links: linksOf(parent, [
                ...(around?.place === undefined ? [] : [around.place]),
                ...(around?.senders ?? []),
              ]),
            });
        }
      });
    },
    within,
    tell(span) {
      const around = spotNow();
      if (around !== undefined) around.parts += 1;
      if (isKept(span.at))
        sink.take({
          ...span,
          links: linksOf(span.partOf, around?.place === undefined ? [] : [around.place]),
        });
    },
  };
}

/** A tracer that tells nobody: messages and logs say what they are a part of all the same. */
export const placingTracer: Tracer = {
  during: async ({ at: own, partOf }, work) => {
    const place = own ?? partOf ?? spotNow()?.place;
    const silent = { add: () => undefined, fail: () => undefined, forget: () => undefined };
    return place === undefined
      ? work(silent)
      : within({ ...place, sampled: false }, async () => work(silent));
  },
  within,
  tell: () => undefined,
};

async function within<T>(place: TracePlace, work: () => Promise<T>): Promise<T> {
  return at({ place, senders: [] }, work);
}

class Span implements OpenSpan {
  facts: SpanFacts;
  failure: string | undefined;
  isForgotten = false;

  constructor(facts: SpanFacts) {
    this.facts = facts;
  }

  add(facts: SpanFacts): void {
    this.facts = { ...this.facts, ...facts };
  }
  fail(code: string): void {
    this.failure = code;
  }
  forget(): void {
    this.isForgotten = true;
  }
}

const headOf = ({ name }: SpanHead, parent: TracePlace | undefined) =>
  parent === undefined ? { name } : { name, partOf: parent };

/** Whatever it was done in the course of, but what it is a part of. */
const linksOf = (parent: TracePlace | undefined, places: readonly TracePlace[]): readonly TracePlace[] =>
  places.filter(({ span, trace }) => span !== parent?.span || trace !== parent.trace);

const traceDigits = 32;
const spanDigits = 16;

function placeUnder(parent: TracePlace | undefined, { unique }: Pick<Chance, 'unique'>): TracePlace {
  const digits = `${unique()}${unique()}`.replaceAll('-', '');
  return parent === undefined
    ? { trace: digits.slice(0, traceDigits), span: digits.slice(-spanDigits), sampled: true }
    : { ...parent, span: digits.slice(-spanDigits) };
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
