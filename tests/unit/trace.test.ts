import { describe, expect, test } from '@jest/globals';
import { eventMessage } from '../../shared/aws/topic.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { senderOf, workMessage, writeMessage } from '../../shared/contracts/messages.ts';
import { batchId, moveId } from '../../shared/domain/ids.ts';
import {
  batchDigitsOf,
  placeOfBatch,
  placeOfMove,
  placeOfRequest,
  readTraceparent,
  writeTraceparent,
} from '../../shared/domain/trace.ts';
import { HostileWorld, receivedAt } from '../support/hostile-world.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const traceparent = `00-${trace}-${span}-01`;
const id = batchId('bt_0123456789abcdef0123');

describe('a traceparent', () => {
  test.each([
    [traceparent, { trace, span, sampled: true }],
    [`00-${trace}-${span}-00`, { trace, span, sampled: false }],
    // Of what later versions have besides, nothing is read.
    [`cc-${trace}-${span}-03-more`, { trace, span, sampled: true }],
    [`00-${trace}-${span}-01-more`, undefined],
    [`ff-${trace}-${span}-01`, undefined],
    [`00-${'0'.repeat(32)}-${span}-01`, undefined],
    [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
    [`00-${trace.toUpperCase()}-${span}-01`, undefined],
    [`00-${trace}-${span}`, undefined],
    ['', undefined],
  ])('%s is read as W3C Trace Context has it', (text, expected) => {
    expect(readTraceparent(text)).toEqual(expected);
  });

  test('is written as it is read', () => {
    expect(writeTraceparent({ trace, span, sampled: true })).toBe(traceparent);
  });
});

describe('the places of a trace', () => {
  const move = { id: moveId('mv_fedcba9876543210'), batch: id, execution: { run: 1 } };

  test('are made of ids: request, batch and each run of a move have one of their own in one trace', () => {
    const places = [
      placeOfRequest({ id }),
      placeOfBatch({ id }),
      placeOfMove(move),
      placeOfMove({ ...move, execution: { run: 2 } }),
    ];
    expect(new Set(places.map((place) => place.trace)).size).toBe(1);
    expect(new Set(places.map((place) => place.span)).size).toBe(places.length);
    for (const place of places)
      expect(readTraceparent(writeTraceparent(place))).toMatchObject({ sampled: true });
    // Whoever has the trace has the batch, and who has the move has its span.
    expect(batchDigitsOf(places[0]?.trace ?? '')).toBe(id.slice(3));
    expect(places[2]?.span).toBe(move.id.slice(3));
  });

  test("are in the publisher's trace, if there is one, and kept only if that one is", () => {
    const there = [
      placeOfRequest({ id, traceparent }),
      placeOfBatch({ id, traceparent }),
      placeOfMove({ ...move, traceparent }),
    ];
    expect(there.map((place) => place.trace)).toEqual([trace, trace, trace]);
    expect(placeOfMove({ ...move, traceparent: `00-${trace}-${span}-00` }).sampled).toBe(false);
    expect(batchDigitsOf(trace)).toBeUndefined();
  });

  test('of moves have lots that are spread', () => {
    const lots = ['0', '4', '8', 'c'].map(
      (digit) => placeOfMove({ ...move, id: moveId(`mv_${digit.repeat(16)}`) }).lot ?? 1,
    );
    expect(lots.map((lot) => Math.floor(lot * 4))).toEqual([0, 1, 2, 3]);
  });
});

describe('what is on a wire', () => {
  const event = (more: object): string =>
    JSON.stringify({
      specversion: '1.0',
      id: 'one',
      source: '/ops',
      type: 'host.cordoned',
      data: { host: 'a', reason: 'test' },
      ...more,
    });

  test('a message says where its sender was, and a release that does not know of it reads the rest', () => {
    const message = { kind: 'work', task: 'mv_1', phase: 'transfer' } as const;
    const text = writeMessage(message, { trace, span, sampled: true });
    expect(senderOf(text)).toEqual({ trace, span, sampled: true });
    expect(workMessage.parse(JSON.parse(text))).toEqual(message);
    expect(Buffer.byteLength(text)).toBeLessThan(300);
    expect(senderOf(writeMessage(message))).toBeUndefined();
    expect(senderOf('no JSON')).toBeUndefined();
  });

  test('an event takes its trace along; one that is none is passed over, and no reason to refuse', () => {
    const plain = parseHostChange(event({}), receivedAt);
    const traced = parseHostChange(event({ traceparent }), receivedAt);
    const bad = parseHostChange(event({ traceparent: 'rubbish' }), receivedAt);
    expect(traced).toEqual({ ...plain, head: { ...plain.head, traceparent } });
    expect(bad).toEqual({ ...plain, head: { ...plain.head, traceUnreadable: true } });
  });

  test('an announcement goes on with the trace', () => {
    const said = { id: '1', type: 'endpoint.moved', subject: 'shop', at: 0, data: {} };
    const { text } = eventMessage({ ...said, trace: { trace, span, sampled: true } }, 'drayage/test');
    expect(JSON.parse(text)).toMatchObject({ traceparent });
    expect(eventMessage(said, 'drayage/test').text).not.toContain('traceparent');
  });
});

test("a publisher's trace stands in the row of the request and of its batch; nothing stands there without one", async () => {
  const { world } = await HostileWorld.inMemory();
  const requested = (eventId: string, more: object): string =>
    JSON.stringify({
      specversion: '1.0',
      id: eventId,
      source: '/ops',
      type: 'batch-move.requested',
      data: { endpoints: ['shop'], reason: 'test' },
      ...more,
    });
  await world.deliver('requests', requested('traced', { traceparent }));
  await world.deliver('requests', requested('plain', {}));
  // The same request from another place of the same program is a repeat, not another one.
  await world.deliver('requests', requested('traced', { traceparent: `00-${trace}-${'1'.repeat(16)}-01` }));
  const rows = await Promise.all(
    ['traced', 'plain'].map(async (name) => {
      const request = await world.store.load('request', { source: '/ops', id: name });
      if (request?.outcome.kind !== 'accepted' || request.outcome.batch === undefined) throw new Error(name);
      const batch = await world.store.load('batch', { id: request.outcome.batch });
      return [request.traceparent, batch?.traceparent];
    }),
  );
  expect(rows).toEqual([
    [traceparent, traceparent],
    [undefined, undefined],
  ]);
});
