import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batchId, moveId } from '../../shared/domain/ids.ts';
import type { MoveReason } from '../../shared/domain/move.ts';
import {
  isWantedAs,
  leadOf,
  obstacleToJoining,
  withReason,
  withoutReason,
} from '../../shared/domain/move-reasons.ts';
import type { Move } from '../../shared/domain/move.ts';
import { moveEndpointShape as shape } from '../../shared/domain/workflow-shape.ts';
import { moveOf, states } from '../support/sample-batch.ts';

const failure = { code: 'withdrawn', sentence: 'x', cure: 'x' };
const by = { by: 'ops', reason: 'test' };
const most = 5;

const reasonBy = (nth: number, priority: number): MoveReason => ({
  batch: batchId(`bt_${String(nth).padStart(20, '0')}`),
  move: moveId(`mv_${String(nth).padStart(16, '0')}`),
  priority,
  by: `asker ${String(nth)}`,
  at: nth,
  reason: 'test',
});

/** The batch that the move was made for is the first; the others come and go. */
const stories = fc.record({
  status: fc.constantFrom(states.waiting, states.running('copy'), states.running('freeze')),
  priorities: fc.array(fc.constantFrom(20, 50, 80), { minLength: most, maxLength: most }),
  words: fc.array(fc.record({ joins: fc.boolean(), nth: fc.nat(most - 1) }), { maxLength: 20 }),
});

test('in any order of joins and withdrawals a move goes on for as long as somebody wants it, as urgent as the most urgent', () => {
  let [kept, ended] = [0, 0];
  fc.assert(
    fc.property(stories, ({ status, priorities, words }) => {
      const [own, ...others] = priorities.map((priority, nth) => reasonBy(nth, priority));
      if (own === undefined) throw new Error('no reasons');
      const plain = moveOf(0, 'shop', status);
      let move: Move = { ...plain, id: own.move, batch: own.batch, priority: own.priority };
      // Whoever wants it, in the order of their coming; once nobody does it is over for good.
      let wanting = [own];
      for (const { joins, nth } of words) {
        const reason = [own, ...others][nth] ?? own;
        const isIn = wanting.includes(reason);
        if (joins) {
          if (obstacleToJoining(move, { source: move.source, policy: move.policy }) !== undefined) continue;
          move = withReason(move, own, reason, 1);
          if (!isIn) wanting = [...wanting, reason];
        } else {
          const answer = withoutReason(shape, move, reason.move, failure, by, 1);
          expect(answer.kind).toBe(isIn ? 'next' : 'so-already');
          if (answer.kind !== 'next') continue;
          wanting = wanting.filter((each) => each !== reason);
          expect(answer.effects.length > 0).toBe(wanting.length === 0);
          move = answer.move;
        }
        const isAlive = move.execution.status.state !== 'rolling-back';
        expect(isAlive).toBe(wanting.length > 0);
        for (const each of [own, ...others]) {
          expect(isWantedAs(move, each.move)).toBe(
            wanting.includes(each) || (!isAlive && move.reasons === undefined && each === own),
          );
        }
        if (!isAlive) {
          ended += 1;
          return;
        }
        const highest = Math.max(...wanting.map(({ priority }) => priority));
        expect(move.priority).toBe(highest);
        expect(leadOf(move)).toBe(wanting.find(({ priority }) => priority === highest)?.batch);
        expect(move.execution.status).toEqual(status);
      }
      kept += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(kept, ended)).toBeGreaterThan(100);
});

test('what can only go forward, has ended or is stuck is not given up, and nothing of it changes', () => {
  const [own, other] = [reasonBy(0, 50), reasonBy(1, 80)];
  const forward = { ...states.running('activate'), forwardOnly: true };
  for (const status of [forward, states.completed, states.stuck]) {
    const plain = { ...moveOf(0, 'shop', status), id: own.move, batch: own.batch };
    for (const move of [plain, { ...plain, reasons: [own, other] }])
      expect(withoutReason(shape, move, own.move, failure, by, 1)).toEqual({ kind: 'too-late' });
  }
});
