import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { spansOf } from '../../cli/span-log.ts';
import { treeAt, treeLines, treesOf, type SpanTree } from '../../cli/span-tree.ts';
import { paint } from '../../cli/text.ts';
import { startApiServer } from '../../local/api/server.ts';
import { freePort } from '../../local/servers/ports.ts';
import { SpanLog } from '../../local/traces/span-log.ts';
import type { TracePlace } from '../../shared/domain/trace.ts';
import { createSpanSender } from '../../shared/runtime/span-sender.ts';
import type { FinishedSpan } from '../../shared/runtime/tracer.ts';

const trace = 'd4a7a6e000000123456789abcdef0123';
const place = (digit: string, of = trace): TracePlace => ({
  trace: of,
  span: digit.repeat(16),
  sampled: true,
});
const began = Date.UTC(2026, 10, 21, 9);
const span = (
  name: string,
  at: TracePlace,
  partOf: TracePlace | undefined,
  [from, to]: readonly [number, number],
  more: Partial<FinishedSpan> = {},
): FinishedSpan => ({
  name,
  at,
  ...(partOf === undefined ? {} : { partOf }),
  since: began + from,
  until: began + to,
  facts: {},
  links: [],
  ...more,
});
const told = [
  span('copy', place('4'), place('3'), [400, 900], { facts: { 'drayage.outcome': 'done' } }),
  span('verify', place('5'), place('3'), [900, 1_400], {
    facts: { 'drayage.outcome': 'retried' },
    failure: 'host-down',
  }),
  span('work transfer', place('3'), place('2'), [300, 1_500]),
  span('move', place('2'), place('1'), [200, 1_900], { facts: { 'drayage.endpoint': 'shop' } }),
  span('somebody else', place('9', 'f'.repeat(32)), undefined, [0, 1]),
  span('request host.draining', place('1'), undefined, [0, 100]),
];

const stateDir = mkdtempSync(join(tmpdir(), 'drayage-spans-'));
const passed: string[] = [];

beforeAll(async () => {
  mkdirSync(join(stateDir, 'logs'));
  const collector = createServer((incoming, outgoing) => {
    incoming.on('data', (piece) => passed.push(String(piece)));
    incoming.on('end', () => outgoing.end('{}'));
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(collector.address());
  const troubles: string[] = [];
  const file = createWriteStream(join(stateDir, 'logs', 'spans.log'));
  const log = new SpanLog(file, `http://127.0.0.1:${String(port)}`, (text) => troubles.push(text));
  const server = await startApiServer(await freePort(), {
    figures: () => '',
    spans: (body) => {
      log.take(body);
    },
  });
  // What functions send is what is read, by way of the wire and the file.
  const sink = createSpanSender({
    endpoint: server.endpoint,
    origin: { 'service.name': 'drayage' },
    clock: { now: () => 0 },
    log: { warn: (text) => troubles.push(text) },
  });
  for (const each of told) {
    sink.take(each);
    await sink.flush();
  }
  const rubbish = await fetch(`${server.endpoint}/v1/traces`, { method: 'POST', body: 'no JSON' });
  expect(rubbish.status).toBe(400);
  while (passed.length < told.length) await new Promise(setImmediate);
  await server.stop();
  collector.close();
  collector.closeAllConnections();
  // A machine that stopped while it wrote.
  file.write('{"resourceSpans":[{"scopeSp');
  log.close();
  await finished(file);
  expect(troubles).toEqual([]);
}, 20_000);
afterAll(() => {
  rmSync(stateDir, { recursive: true });
});

test('what was told under a trace is a tree, in the order in which it began', async () => {
  const trees = treesOf(await spansOf(stateDir, trace));
  expect(treeLines(trees).map((text) => paint(text, false))).toEqual([
    'request host.draining    +0 ms  100 ms  ',
    '  move shop            +200 ms   1.7 s  ',
    '    work transfer      +300 ms   1.2 s  ',
    '      copy             +400 ms  500 ms  done',
    '      verify           +900 ms  500 ms  retried: host-down',
  ]);
});

test('of a move there is what is below it, and of one that is not settled what has been told', async () => {
  const spans = await spansOf(stateDir, trace);
  const names = ({ span: { name }, parts }: SpanTree): readonly unknown[] => [name, ...parts.map(names)];
  const whole = treeAt(treesOf(spans), place('2').span);
  expect(whole === undefined ? [] : names(whole)).toEqual(['move', ['work transfer', ['copy'], ['verify']]]);
  const unsettled = treesOf(spans.filter(({ name }) => name !== 'move'));
  expect(unsettled.map(names)).toEqual([['request host.draining'], ['work transfer', ['copy'], ['verify']]]);
});

test('where nothing was told there is nothing', async () => {
  expect(await spansOf(stateDir, '0'.repeat(32))).toEqual([]);
  expect(await spansOf(join(stateDir, 'elsewhere'), trace)).toEqual([]);
});
