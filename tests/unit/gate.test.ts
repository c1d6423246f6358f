import { describe, expect, test } from '@jest/globals';
import type { Batch } from '../../shared/domain/batch.ts';
import type { CutoverWord } from '../../shared/domain/pause.ts';
import { mayBegin, mayCutOver, type GateScene } from '../../shared/domain/gate.ts';
import type { BatchPolicy } from '../../shared/domain/policy.ts';
import { batchOf, began, hostOf } from '../support/sample-batch.ts';

const hold = (at: number, by = 'ops') => ({ by, at, reason: 'test' });
const word = (kind: CutoverWord['kind'], at: number): CutoverWord => ({ kind, ...hold(at) });
const now = began + 60_000;

function scene(
  change: Partial<Batch> = {},
  policy: Partial<BatchPolicy> = {},
  more: Partial<GateScene> = {},
): GateScene {
  const plain = batchOf();
  return {
    fleet: {},
    batch: { ...plain, ...change, policy: { ...plain.policy, ...policy } },
    hosts: [hostOf('a'), hostOf('b')],
    ...more,
  };
}

const codeOf = (gate: ReturnType<typeof mayBegin>): string => (gate.kind === 'open' ? 'open' : gate.code);

describe('the gate before a begin and before a cutover', () => {
  test.each<[string, GateScene, string, string]>([
    ['nothing', scene(), 'open', 'open'],
    ['a batch that is gone', { fleet: {}, hosts: [] }, 'open', 'open'],
    ['a pause of everything', scene({}, {}, { fleet: { paused: hold(1) } }), 'paused', 'paused'],
    ['a pause of its batch', scene({ paused: hold(1) }), 'paused', 'paused'],
    ['a pause of a host', scene({}, {}, { hosts: [hostOf('a', { paused: hold(1) })] }), 'paused', 'paused'],
    ['a pause that is over', scene({ resumed: hold(1) }), 'open', 'open'],
    ['no approval yet', scene({}, { approval: 'required' }), 'unapproved', 'unapproved'],
    ['an approval', scene({ approved: hold(1) }, { approval: 'required' }), 'open', 'open'],
    ['a start by hand', scene({}, { start: 'manual' }), 'not-started', 'not-started'],
    ['a start', scene({ started: hold(1) }, { start: 'manual' }), 'open', 'open'],
    ['a start later', scene({}, { startAt: now + 1 }), 'not-started', 'not-started'],
    ['a start whose time has come', scene({}, { startAt: now }), 'open', 'open'],
    ['a cancelled batch', scene({ cancelled: hold(1) }), 'cancelled', 'cancelled'],
    ['a policy that holds', scene({}, { holdBeforeCutover: true }), 'open', 'held'],
    [
      'a release of its batch after that',
      scene({ cutover: word('released', now) }, { holdBeforeCutover: true }),
      'open',
      'open',
    ],
    ['a hold of its batch', scene({ cutover: word('held', 5) }), 'open', 'held'],
    [
      'a release of the move after a hold of its batch',
      scene({ cutover: word('held', 5) }, {}, { cutover: word('released', 6) }),
      'open',
      'open',
    ],
    [
      'a hold of its batch after a release of the move',
      scene({ cutover: word('held', 7) }, {}, { cutover: word('released', 6) }),
      'open',
      'held',
    ],
    ['a hold of the move', scene({}, {}, { cutover: word('held', 6) }), 'open', 'held'],
  ])('with %s', (_what, given, begin, cutOver) => {
    expect([codeOf(mayBegin(given, now)), codeOf(mayCutOver(given, now))]).toEqual([begin, cutOver]);
  });

  test('says who closed it, since when, why, and what opens it', () => {
    const gate = mayBegin(scene({ paused: hold(began, 'ops@night') }), now);
    expect(gate).toEqual({
      kind: 'closed',
      code: 'paused',
      on: 'the end of the pause of batch bt_0123456789abcdef0123, paused by ops@night at 2026-11-21T09:00:00.000Z (test)',
      since: began,
      cure: 'dray batch resume bt_0123456789abcdef0123 --reason …',
    });
    const later = mayBegin(scene({}, { startAt: now + 5 }), now);
    expect(later).toMatchObject({ opensAt: now + 5, cure: expect.stringContaining('dray batch start') });
  });
});
