import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { rule, type Placement, type PlacementCommand } from '../../shared/domain/placement.ts';

const a = hostName('a');
const b = hostName('b');
const moves = [moveId('mv_0000000000000001'), moveId('mv_0000000000000002')] as const;

const start: Placement = {
  endpoint: endpointName('shop'),
  driver: 'simulated',
  host: a,
  database: 'shop',
  epoch: 1,
  arbitration: { kind: 'serving' },
  claims: 0,
  announcedEpoch: 1,
  sizeBytes: 1,
  labels: {},
  registeredAt: 0,
  version: 1,
};

const commands: fc.Arbitrary<PlacementCommand> = fc
  .tuple(
    fc.constantFrom(
      ...([
        'claim',
        'release',
        'freeze',
        'adopt-freeze',
        'begin-thaw',
        'end-thaw',
        'flip',
        'un-flip',
        'begin-opening',
        'end-opening',
        'announced',
      ] as const),
    ),
    fc.constantFrom(...moves),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom(a, b),
  )
  .map(([kind, move, token, epoch, target]): PlacementCommand => {
    switch (kind) {
      case 'claim':
      case 'release':
        return { kind, move };
      case 'flip':
        return { kind, move, token, epoch, target, sizeBytes: 1 };
      case 'end-opening':
        return { kind, move, token, target };
      case 'announced':
        return { kind, epoch };
      case 'freeze':
      case 'adopt-freeze':
      case 'begin-thaw':
      case 'end-thaw':
      case 'un-flip':
      case 'begin-opening':
        return { kind, move, token };
      default:
        return kind satisfies never;
    }
  });

function obey(story: readonly PlacementCommand[]): { placement: Placement; by: PlacementCommand }[] {
  let placement = start;
  return story.flatMap((command) => {
    const ruling = rule(placement, command);
    if (ruling.kind !== 'next') return [];
    placement = ruling.placement;
    return [{ placement, by: command }];
  });
}

const stories = fc.array(commands, { maxLength: 120 });

describe('the arbiter', () => {
  test('the host changes only by a flip or an un-flip, and each raises the epoch by one', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let before = start;
        for (const { placement, by } of obey(story)) {
          const flips = by.kind === 'flip' || by.kind === 'un-flip';
          if (placement.host !== before.host) expect(flips).toBe(true);
          expect(placement.epoch).toBe(before.epoch + (flips ? 1 : 0));
          before = placement;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('an endpoint is flipped only while it is frozen by the very worker that flips it', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let before = start;
        for (const { placement, by } of obey(story)) {
          if (by.kind === 'flip') {
            expect(before.arbitration).toEqual({ kind: 'frozen', move: by.move, token: by.token });
          }
          before = placement;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('once a thaw is decided, or the target is being opened, there is no flip and no un-flip', () => {
    for (const kind of ['thawing', 'opening'] as const) {
      const arbitration =
        kind === 'thawing'
          ? ({ kind, move: moves[0], token: 2 } as const)
          : ({ kind, move: moves[0], token: 2, from: a } as const);
      const placement = { ...start, arbitration, claim: { move: moves[0], firstToken: 1 } };
      const held = { move: moves[0], token: 2 };
      expect(rule(placement, { kind: 'flip', ...held, epoch: 1, target: b, sizeBytes: 1 }).kind).toBe(
        'refused',
      );
      expect(rule(placement, { kind: 'un-flip', ...held }).kind).toBe('refused');
    }
  });

  test('a worker with an older token never takes anything from one with a newer', () => {
    fc.assert(
      fc.property(stories, (story) => {
        let before = start;
        for (const { placement, by } of obey(story)) {
          const held = before.arbitration;
          if (held.kind !== 'serving' && 'token' in by) expect(by.token).toBeGreaterThanOrEqual(held.token);
          before = placement;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('nobody claims what another move holds, and tokens of a later claim are all newer', () => {
    const first = rule(start, { kind: 'claim', move: moves[0] });
    if (first.kind !== 'next') throw new Error('not claimed');
    expect(rule(first.placement, { kind: 'claim', move: moves[1] }).kind).toBe('refused');
    const released = rule(first.placement, { kind: 'release', move: moves[0] });
    if (released.kind !== 'next') throw new Error('not released');
    const second = rule(released.placement, { kind: 'claim', move: moves[1] });
    if (second.kind !== 'next') throw new Error('not claimed');
    expect(second.placement.claim?.firstToken).toBe((first.placement.claim?.firstToken ?? 0) + 1_000_000);
  });

  test('a worker that was stopped before its freeze cannot make it once a later one has thawed or moved', () => {
    const claimed = { ...start, claim: { move: moves[0], firstToken: 1 } };
    const held = { move: moves[0], token: 2 };
    const told = (placement: Placement, ...orders: PlacementCommand[]): Placement =>
      orders.reduce((now, order) => {
        const ruling = rule(now, order);
        return ruling.kind === 'next' ? ruling.placement : now;
      }, placement);
    const thawed = told(claimed, { kind: 'begin-thaw', ...held });
    const moved = told(
      claimed,
      { kind: 'freeze', ...held },
      { kind: 'flip', ...held, epoch: 1, target: b, sizeBytes: 1 },
      { kind: 'begin-opening', ...held },
      { kind: 'end-opening', ...held, target: b },
    );
    expect(moved).toMatchObject({ host: b, arbitration: { kind: 'serving' } });
    for (const placement of [thawed, moved]) {
      expect(rule(placement, { kind: 'freeze', move: moves[0], token: 1 }).kind).toBe('refused');
    }
  });
});
