import { expect, test } from '@jest/globals';
import { bill, dollars, engineAlone, nothing, others, twelveSteps } from '../../bench/cost-model.ts';

test('what a move uses has a price each, and together', () => {
  const use = { ...nothing, writeUnits: 100, gigabyteSeconds: 0.5, publishes: 2, secretReads: 1 };
  expect(bill(use).filter(({ dollars: price }) => price > 0)).toEqual([
    { line: 'publishes', dollars: 1 },
    { line: 'gigabyteSeconds', dollars: 6.6667 },
    { line: 'writeUnits', dollars: 62.5 },
    { line: 'secretReads', dollars: 5 },
  ]);
  expect(dollars(use)).toBeCloseTo(75.1667, 4);
});

test('what shares an invocation shares its messages and its time, and not what is written', () => {
  const used = { writeUnits: 14, dueUnits: 2, reads: 2, messages: 2, invocations: 2 };
  expect(engineAlone(twelveSteps, used, 1)).toMatchObject({
    queueRequests: 6,
    invocations: 2,
    gigabyteSeconds: 0.32,
    writeUnits: 16,
  });
  expect(engineAlone(twelveSteps, used, 10)).toMatchObject({
    queueRequests: 0.6,
    invocations: 0.2,
    gigabyteSeconds: 0.032,
    writeUnits: 16,
  });
});

test('others are priced by what they charge for', () => {
  const priced = others(twelveSteps).map(({ name, dollars: price }) => [name, Math.round(price * 100) / 100]);
  expect(priced).toEqual([
    ['Step Functions Standard, a function per step', 307.97],
    // 13 operations; 12.8 MiB written for a million, and kept for a fortnight.
    ['Lambda durable functions', 114.23],
    ['a queue hop per step, state in DynamoDB', 30.3],
    ['the same, all messages by tens', 17.7],
  ]);
});
