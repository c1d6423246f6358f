import { expect, test } from '@jest/globals';
import { createTracer, type FinishedSpan } from '../../shared/runtime/tracer.ts';
import { simulate } from './simulate.ts';

test('of each request there is one tree of spans, from its acceptance to the retirement of what it moved', async () => {
  let [now, ids] = [0, 0];
  const spans: FinishedSpan[] = [];
  const tracer = createTracer({
    clock: { now: () => (now += 1) },
    chance: { unique: () => (ids += 1).toString(16).padStart(32, '0') },
    sink: { take: (span) => void spans.push(span), flush: () => Promise.resolve() },
    share: 1,
  });
  const { broken, moves, moved } = await simulate(1, [], { tracer });
  expect({ broken, moved }).toEqual({ broken: undefined, moved: moves });

  const traces = Map.groupBy(spans, ({ at }) => at.trace);
  let whole = 0;
  for (const those of traces.values()) {
    const places = new Set(those.map(({ at }) => at.span));
    const roots = those.filter(({ partOf }) => partOf === undefined);
    const lost = those.filter(({ partOf }) => partOf !== undefined && !places.has(partOf.span));
    const twice = those.length - places.size;
    expect({ lost, twice, roots: roots.map(({ name }) => name) }).toEqual({
      lost: [],
      twice: 0,
      roots: [expect.stringMatching(/^(?:request |dispatch$|heal$)/)],
    });
    const names = new Set(those.map(({ name }) => name));
    if (['batch', 'move', 'plan', 'copy', 'cutover', 'retire'].every((name) => names.has(name))) whole += 1;
  }
  expect(whole).toBeGreaterThan(0);
  expect(spans.filter(({ name }) => name === 'move').length).toBeGreaterThanOrEqual(moves);
});
