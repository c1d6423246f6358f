import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import * as z from 'zod';
import { StepFailure } from '../../shared/domain/failure.ts';
import { placeOfMove, type TracePlace } from '../../shared/domain/trace.ts';
import { at, here, receiving } from '../../shared/runtime/here.ts';
import { otlpBody } from '../../shared/runtime/otlp.ts';
import { createSpanSender } from '../../shared/runtime/span-sender.ts';
import { createTracer, placingTracer, type FinishedSpan } from '../../shared/runtime/tracer.ts';
import { EngineBench, errandPlace } from '../support/engine-bench.ts';
import { failure, moveOf, states } from '../support/sample-batch.ts';

/** A tracer whose spans are kept, with a clock that goes on by a millisecond at each look. */
function listening(share = 1) {
  let [now, ids] = [1_000, 0];
  const spans: FinishedSpan[] = [];
  const tracer = createTracer({
    clock: { now: () => (now += 1) },
    chance: { unique: () => String((ids += 1)).padStart(32, '0') },
    sink: { take: (span) => void spans.push(span), flush: () => Promise.resolve() },
    share,
  });
  return { tracer, spans };
}

const place = (digit: string): TracePlace => ({
  trace: digit.repeat(32),
  span: digit.repeat(16),
  sampled: true,
});

describe('a tracer', () => {
  test('tells spans within spans, and links what was sent to who has sent it', async () => {
    const { tracer, spans } = listening();
    await receiving([place('a')], () =>
      tracer.during({ name: 'outer', partOf: place('b'), facts: { of: 1 } }, async (outer) => {
        outer.add({ more: true });
        const outside = here();
        await tracer.during({ name: 'inner', facts: {} }, () => Promise.resolve());
        await tracer.during({ name: 'elsewhere', partOf: place('c'), facts: {} }, () => Promise.resolve());
        expect(here()).toEqual(outside);
      }),
    );
    const [inner, elsewhere, outer] = spans;
    expect(outer).toMatchObject({
      name: 'outer',
      partOf: place('b'),
      at: { trace: place('b').trace },
      facts: { of: 1, more: true },
      links: [place('a')],
    });
    expect(outer?.until).toBeGreaterThan(outer?.since ?? Infinity);
    expect(inner).toMatchObject({ name: 'inner', partOf: outer?.at, links: [] });
    // It is a part of something else, and says in the course of what it was done.
    expect(elsewhere).toMatchObject({ partOf: place('c'), links: [outer?.at] });
    expect(new Set(spans.map((span) => span.at.span)).size).toBe(3);
  });

  test('tells failures, thrown or not, and what is thrown goes on', async () => {
    const { tracer, spans } = listening();
    const thrown = tracer.during({ name: 'one', facts: {} }, () => Promise.reject(new RangeError('no')));
    await expect(thrown).rejects.toThrow('no');
    await tracer.during({ name: 'two', facts: {} }, (span) => {
      span.fail('disk-full');
      return Promise.resolve();
    });
    expect(spans.map((span) => span.failure)).toEqual(['RangeError', 'disk-full']);
  });

  test('tells nothing of what is forgotten, and what is only worth its parts with them only', async () => {
    const { tracer, spans } = listening();
    const around = (name: string, isForgotten: boolean): Promise<void> =>
      tracer.during({ name, ifParts: true, facts: {} }, () =>
        tracer.during({ name: `part of ${name}`, facts: {} }, (span) => {
          if (isForgotten) span.forget();
          return Promise.resolve();
        }),
      );
    await around('one', true);
    await around('two', false);
    expect(spans.map(({ name }) => name)).toEqual(['part of two', 'two']);
  });

  test('tells of a move all or nothing: by its lot, and as its publisher wants it', async () => {
    const { tracer, spans } = listening(0.5);
    const places = [{ lot: 0.4 }, { lot: 0.6 }, { lot: 0.1, sampled: false }, {}].map((more, nth) => ({
      ...place(String(nth + 1)),
      ...more,
    }));
    for (const partOf of places)
      await tracer.during({ name: partOf.span, partOf, facts: {} }, () =>
        tracer.during({ name: `in ${partOf.span}`, facts: {} }, () => Promise.resolve()),
      );
    expect(spans.map(({ name }) => name.at(-1))).toEqual(['1', '1', '4', '4']);
    const { lot = 0 } = placeOfMove(moveOf(1, 'shop', states.waiting));
    expect(lot).toBeLessThan(1);
  });

  test('that tells nobody still says to messages and logs what they are a part of', async () => {
    expect(
      await placingTracer.during({ name: 'one', facts: {} }, () => Promise.resolve(here())),
    ).toBeUndefined();
    const inside = await placingTracer.during({ name: 'one', partOf: place('b'), facts: {} }, () =>
      placingTracer.during({ name: 'two', facts: {} }, () => Promise.resolve(here())),
    );
    expect(inside).toEqual({ ...place('b'), sampled: false });
    expect(await placingTracer.within(place('c'), () => Promise.resolve(here()))).toEqual(place('c'));
    expect(await receiving([place('d')], () => Promise.resolve(here()))).toEqual(place('d'));
  });

  test('tells of work side by side each in its own place', async () => {
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((digit) =>
        at({ place: place(digit), senders: [] }, async () => {
          await new Promise(setImmediate);
          return here()?.span[0];
        }),
      ),
    );
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

test('the engine tells each call of a step, how it ended, and a wait that goes on once', async () => {
  const { tracer, spans } = listening();
  const done = { run: () => Promise.resolve({ kind: 'done' as const }) };
  let tries = 0;
  const bench = new EngineBench({
    fetch: done,
    carry: {
      ...done,
      run: () => {
        tries += 1;
        if (tries === 1) return Promise.reject(new StepFailure(failure, 'retry'));
        return Promise.resolve(
          tries < 4 ? { kind: 'wait', code: 'rain', on: 'the rain', afterMs: 9_000 } : { kind: 'done' },
        );
      },
    },
    'hand-in': done,
  });
  bench.tracer = tracer;
  await bench.invoke({ kind: 'work', task: 'e1', phase: 'out' });
  await bench.deliver();
  const told = spans.map(({ name, facts, failure: code }) => [
    name,
    facts['drayage.attempt'],
    facts['drayage.outcome'],
    code,
  ]);
  expect(told).toEqual([
    ['fetch', 1, 'done', undefined],
    ['carry', 1, 'retried', failure.code],
    ['work out', undefined, undefined, undefined],
    ['carry', 2, 'waited', undefined],
    ['work out', undefined, undefined, undefined],
    ['carry', 2, 'done', undefined],
    ['work out', undefined, undefined, undefined],
    ['hand-in', 1, 'done', undefined],
    ['work back', undefined, undefined, undefined],
  ]);
  const works = spans.filter(({ name }) => name.startsWith('work'));
  expect(works.map(({ partOf }) => partOf)).toEqual(works.map(() => errandPlace));
  expect(spans.flatMap(({ name, partOf }) => (name === 'fetch' ? [partOf] : []))).toEqual([works[0]?.at]);
});

type Readable = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][number];

/** A span as OpenTelemetry's exporters take it. */
function readable(each: FinishedSpan, resource: Readable['resource']): Readable {
  const { name, at: own, partOf, since, until, facts, failure: code, links } = each;
  const contextOf = ({ trace, span, sampled }: TracePlace) => ({
    traceId: trace,
    spanId: span,
    traceFlags: sampled ? 1 : 0,
  });
  const timeOf = (ms: number): [number, number] => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
  return {
    name,
    kind: links.length === 0 ? SpanKind.INTERNAL : SpanKind.CONSUMER,
    spanContext: () => contextOf(own),
    ...(partOf === undefined ? {} : { parentSpanContext: contextOf(partOf) }),
    startTime: timeOf(since),
    endTime: timeOf(until),
    duration: timeOf(until - since),
    ended: true,
    status:
      code === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: code },
    attributes: facts,
    links: links.map((link) => ({ context: contextOf(link) })),
    events: [],
    resource,
    instrumentationScope: { name: 'drayage' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

describe('the sender of spans', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** A collector on loopback, and what it got. */
  async function collector(answer: number) {
    const got: { readonly path: string | undefined; readonly body: unknown }[] = [];
    const server = createServer((incoming, outgoing) => {
      let text = '';
      incoming.on('data', (piece) => (text += String(piece)));
      incoming.on('end', () => {
        got.push({ path: incoming.url, body: JSON.parse(text) });
        outgoing.writeHead(answer).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(
      () =>
        new Promise((resolve) => {
          server.close(() => {
            resolve();
          });
          server.closeAllConnections();
        }),
    );
    const { port } = z.object({ port: z.number() }).parse(server.address());
    return { endpoint: `http://127.0.0.1:${String(port)}/`, got };
  }

  const span = (name: string, more: Partial<FinishedSpan> = {}): FinishedSpan => ({
    name,
    at: place('a'),
    since: 1_790_000_000_123,
    until: 1_790_000_001_000,
    facts: { 'drayage.move': 'mv_1', 'drayage.attempt': 2 },
    links: [],
    ...more,
  });

  /** A sender with a clock that stands where it is set. */
  function sender(endpoint: string) {
    const clock = { time: 0, now: () => clock.time };
    const warned: unknown[] = [];
    const log = { warn: (_: string, fields?: object) => void warned.push(fields) };
    return {
      clock,
      warned,
      sink: createSpanSender({ endpoint, origin: { 'service.name': 'drayage' }, clock, log }),
    };
  }

  test('sends them as OTLP over HTTP, in JSON', async () => {
    const { endpoint, got } = await collector(200);
    const { sink } = sender(endpoint);
    sink.take(span('copy', { partOf: place('b'), links: [place('c')], failure: 'disk-full' }));
    await sink.flush();
    await sink.flush();
    expect(got).toEqual([
      {
        path: '/v1/traces',
        body: {
          resourceSpans: [
            expect.objectContaining({
              resource: expect.objectContaining({
                attributes: [{ key: 'service.name', value: { stringValue: 'drayage' } }],
              }),
              scopeSpans: [
                expect.objectContaining({
                  spans: [
                    expect.objectContaining({
                      traceId: place('a').trace,
                      spanId: place('a').span,
                      parentSpanId: place('b').span,
                      name: 'copy',
                      startTimeUnixNano: '1790000000123000000',
                      endTimeUnixNano: '1790000001000000000',
                      status: { code: 2, message: 'disk-full' },
                      attributes: [
                        { key: 'drayage.move', value: { stringValue: 'mv_1' } },
                        { key: 'drayage.attempt', value: { intValue: 2 } },
                      ],
                      links: [
                        expect.objectContaining({ traceId: place('c').trace, spanId: place('c').span }),
                      ],
                    }),
                  ],
                }),
              ],
            }),
          ],
        },
      },
    ]);
  });

  test("says what OpenTelemetry's own serializer would say", () => {
    const facts = { text: 'ü "x"', whole: 7, part: 0.5, truth: false };
    const spans = [
      span('copy', { partOf: place('b'), links: [place('c')], failure: 'disk-full', facts }),
      span('verify'),
    ];
    const origin = { 'service.name': 'drayage' };
    const resource: Readable['resource'] = {
      attributes: origin,
      merge: () => resource,
      getRawAttributes: () => [],
    };
    const theirs = JsonTraceSerializer.serializeRequest(spans.map((each) => readable(each, resource)));
    expect(JSON.parse(new TextDecoder().decode(theirs))).toMatchObject(
      z.record(z.string(), z.unknown()).parse(JSON.parse(otlpBody(spans, origin))),
    );
  });

  test('leaves a collector alone for a while that refuses or is not there, says so once, and fails nobody', async () => {
    const { endpoint, got } = await collector(503);
    const { sink, clock, warned } = sender(endpoint);
    for (const name of ['one', 'two', 'three']) {
      sink.take(span(name));
      await sink.flush();
    }
    expect(got).toHaveLength(1);
    expect(warned).toMatchObject([{ lost: 1 }]);
    clock.time += 30_001;
    sink.take(span('four'));
    await sink.flush();
    expect(got).toHaveLength(2);
    expect(warned).toMatchObject([{ lost: 1 }, { lost: 4 }]);
    const nobody = sender('http://127.0.0.1:1');
    nobody.sink.take(span('five'));
    await nobody.sink.flush();
    expect(nobody.warned).toHaveLength(1);
  });

  test('does not wait for the end of a long invocation', async () => {
    const { endpoint, got } = await collector(200);
    const { sink, clock } = sender(endpoint);
    sink.take(span('one'));
    clock.time += 5_000;
    sink.take(span('two'));
    await sink.flush();
    for (let nth = 0; nth < 256; nth += 1) sink.take(span('many'));
    await sink.flush();
    expect(got).toHaveLength(2);
  });
});
