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

/** A command, chosen in sight of the row: by chance alone hardly any story would come as far as a flip. */
type Choose = (placement: Placement) => PlacementCommand;

const choices: fc.Arbitrary<Choose> = fc
  .record({
    kind: fc.constantFrom(
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
    isHolder: fc.boolean(),
    other: fc.constantFrom(...moves),
    later: fc.constantFrom(-1, 0, 0, 0, 1),
    epochs: fc.constantFrom(-1, 0, 0, 0, 1),
    target: fc.constantFrom(a, b),
  })
  .map(({ kind, isHolder, other, later, epochs, target }): Choose => (placement) => {
    const { arbitration, claim } = placement;
    const move = isHolder && claim !== undefined ? claim.move : other;
    const token = ('token' in arbitration ? arbitration.token : 5) + later;
    const epoch = placement.epoch + epochs;
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

function obey(story: readonly Choose[]): { placement: Placement; by: PlacementCommand }[] {
  let placement = start;
  return story.flatMap((choose) => {
    const by = choose(placement);
    const ruling = rule(placement, by);
    if (ruling.kind !== 'next') return [];
    placement = ruling.placement;
    return [{ placement, by }];
  });
}

const stories = fc.array(choices, { minLength: 60, maxLength: 120 });

describe('the arbiter', () => {
  test('is asked for everything there is: the stories of these laws pass through every command', () => {
    const obeyed = new Set<string>();
    fc.assert(
      fc.property(stories, (story) => {
        for (const { by } of obey(story)) obeyed.add(by.kind);
      }),
      { numRuns: 300 },
    );
    expect(obeyed.size).toBe(11);
  });

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

  const [mine, other] = moves;
  const claim = { move: mine, firstToken: 1 };
  const held = { move: mine, token: 2 };
  const arbitrations = {
    serving: { kind: 'serving' },
    frozen: { kind: 'frozen', ...held },
    thawing: { kind: 'thawing', ...held },
    flipped: { kind: 'flipped', ...held, from: a },
    opening: { kind: 'opening', ...held, from: a },
  } as const;
  type Kind = keyof typeof arbitrations;

  /** The kinds of arbitration in which a command of the holder's changes something. */
  function allowedIn(command: PlacementCommand): Kind[] {
    return Object.values(arbitrations)
      .filter((arbitration) => rule({ ...start, claim, arbitration }, command).kind === 'next')
      .map(({ kind }) => kind);
  }

  test('an endpoint is flipped only on the epoch that its freeze has seen', () => {
    const placement = { ...start, claim, arbitration: arbitrations.frozen };
    const flip = { kind: 'flip', ...held, target: b, sizeBytes: 1 } as const;
    expect(rule(placement, { ...flip, epoch: 2 }).kind).toBe('refused');
    expect(rule(placement, { ...flip, epoch: 1 }).kind).toBe('next');
  });

  test('an endpoint is frozen only by a move that holds it, and by one worker', () => {
    expect(allowedIn({ kind: 'freeze', ...held })).toEqual(['serving']);
    expect(rule({ ...start, claim }, { kind: 'freeze', move: other, token: 2 }).kind).toBe('refused');
    const frozen = { ...start, claim, arbitration: arbitrations.frozen };
    expect(rule(frozen, { kind: 'freeze', move: mine, token: 3 }).kind).toBe('refused');
    expect(rule(frozen, { kind: 'freeze', ...held }).kind).toBe('already');
  });

  test('what was flipped or is being opened is not thawed, and serves again only after a thaw', () => {
    // One that serves is noted as thawed by this worker: no freeze of an earlier one can come after it.
    expect(allowedIn({ kind: 'begin-thaw', move: mine, token: 3 })).toEqual(['serving', 'frozen', 'thawing']);
    expect(allowedIn({ kind: 'end-thaw', ...held })).toEqual(['thawing']);
  });

  test('the new host is opened only after the flip, and serves only after it was opened', () => {
    expect(allowedIn({ kind: 'begin-opening', move: mine, token: 3 })).toEqual(['flipped', 'opening']);
    for (const arbitration of [arbitrations.serving, arbitrations.frozen, arbitrations.thawing])
      expect(rule({ ...start, claim, arbitration }, { kind: 'begin-opening', ...held }).kind).toBe('refused');
    expect(allowedIn({ kind: 'end-opening', ...held, target: a })).toEqual(['opening']);
    expect(rule({ ...start, claim }, { kind: 'end-opening', ...held, target: b }).kind).toBe('refused');
  });

  test('an endpoint is not let go while it does not serve', () => {
    expect(allowedIn({ kind: 'release', move: mine })).toEqual(['serving']);
  });

  test('an epoch that was told is never untold', () => {
    const told = { ...start, epoch: 5, announcedEpoch: 4 };
    expect(rule(told, { kind: 'announced', epoch: 3 }).kind).toBe('already');
    expect(rule(told, { kind: 'announced', epoch: 5 }).kind).toBe('next');
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
