import { describe, expect, test } from '@jest/globals';
import type { Selection } from '../../shared/domain/batch.ts';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { makePlan } from '../../shared/domain/planning/make-plan.ts';
import { balanceOf, sidesOf } from '../../shared/domain/planning/sides.ts';
import type { PlanHost, Seat } from '../../shared/domain/planning/snapshot.ts';

const host = (name: string, change: Partial<PlanHost> = {}): PlanHost => ({
  name: hostName(name),
  driver: 'postgres',
  major: 18,
  zone: 'z1',
  capacityBytes: 1_000,
  hasFailed: false,
  reservedBytes: 0,
  ...change,
});
const seat = (name: string, on: string, bytes: number, change: Partial<Seat> = {}): Seat => ({
  endpoint: endpointName(name),
  driver: 'postgres',
  host: hostName(on),
  bytes,
  labels: {},
  ...change,
});
const drain = (name: string): Selection => ({ kind: 'host', host: hostName(name) });
const group = (name: string, spread: 'hosts' | 'zones' = 'hosts') => ({ group: { name, spread } });
const ways = (plan: ReturnType<typeof makePlan>): string[] =>
  plan.moves.map(({ seat: { endpoint }, target }) => `${endpoint} → ${target}`);
const reasons = (plan: ReturnType<typeof makePlan>): string[] =>
  plan.unplaced.map(({ failure: { code, sentence } }) => `${code}: ${sentence}`);

describe('a drain', () => {
  test('spreads what it moves, by bytes and by number', () => {
    const hosts = ['a', 'b', 'c'].map((name) => host(name));
    const sized = makePlan(drain('a'), {
      hosts,
      seats: [seat('x', 'a', 100), seat('y', 'a', 60), seat('z', 'a', 40)],
    });
    expect(ways(sized)).toEqual(['x → b', 'y → c', 'z → c']);
    const unsized = makePlan(drain('a'), {
      hosts,
      seats: ['s', 't', 'u', 'v'].map((name) => seat(name, 'a', 0)),
    });
    expect(ways(unsized)).toEqual(['s → b', 't → c', 'u → b', 'v → c']);
    expect(sized.moves[0]?.why).toBe('the emptiest of 2 hosts that may take it');
  });

  test('gives a larger host more, and an emptier zone', () => {
    const hosts = [host('a'), host('big', { capacityBytes: 3_000 }), host('small')];
    const seats = Array.from({ length: 4 }, (_, nth) => seat(`e${String(nth)}`, 'a', 100));
    expect(ways(makePlan(drain('a'), { hosts, seats })).filter((way) => way.endsWith('big'))).toHaveLength(3);
    const zones = [
      host('a'),
      host('b', { zone: 'z1' }),
      host('c', { zone: 'z2' }),
      host('d', { zone: 'z1' }),
    ];
    const other = seat('full', 'd', 500);
    expect(ways(makePlan(drain('a'), { hosts: zones, seats: [other, seat('e', 'a', 10)] }))).toEqual([
      'e → c',
    ]);
  });

  test('says of each endpoint without a place which rule stops how many hosts', () => {
    const hosts = [
      host('a'),
      host('tight1', { capacityBytes: 100 }),
      host('tight2', { reservedBytes: 890 }),
      host('shut', { closed: 'cordoned' }),
      host('old', { major: 15 }),
      host('redis', { driver: 'redis' }),
      host('broken', { closed: 'failed', hasFailed: true }),
      host('far', { zone: 'z9' }),
      host('with-mate'),
    ];
    const seats = [
      seat('shop', 'a', 95, { zones: ['z1'], ...group('web') }),
      seat('mate', 'with-mate', 1, group('web')),
    ];
    const plan = makePlan(drain('a'), { hosts, seats });
    expect(reasons(plan)).toEqual([
      'no-target: no host may take shop: 2 hosts have too little room, shut is cordoned, redis is of another engine, broken has failed, with-mate holds another of group web, old runs an older version, far is outside its zones (z1)',
    ]);
    expect(plan.unplaced[0]?.stops).toContainEqual({
      rule: 'room',
      hosts: 2,
      examples: ['tight1', 'tight2'],
    });
  });

  test('keeps a tenth of each target free, counting what is set aside and what it adds itself', () => {
    const hosts = [host('a'), host('b', { capacityBytes: 100, reservedBytes: 20 })];
    const seats = [seat('x', 'a', 40), seat('y', 'a', 30), seat('z', 'a', 1)];
    const plan = makePlan(drain('a'), { hosts, seats });
    expect(ways(plan)).toEqual(['x → b', 'y → b']);
    expect(reasons(plan)).toEqual(['no-target: no host may take z: b has too little room']);
  });

  test('leaves what is pinned to the host, and takes what is pinned elsewhere home', () => {
    const hosts = [host('a'), host('b'), host('home'), host('shut', { closed: 'cordoned' })];
    const seats = [
      seat('stays', 'a', 1, { pin: hostName('a') }),
      seat('homesick', 'a', 1, { pin: hostName('home') }),
      seat('locked-out', 'a', 1, { pin: hostName('shut') }),
    ];
    const plan = makePlan(drain('a'), { hosts, seats });
    expect(ways(plan)).toEqual(['homesick → home']);
    expect(reasons(plan)).toEqual([
      'no-target: no host may take locked-out, which is pinned to shut: shut is cordoned',
      'endpoint-pinned: stays is pinned to a, where it is',
    ]);
  });

  test('lifts the pins of a host that has failed', () => {
    const hosts = [host('a', { closed: 'failed', hasFailed: true }), host('b')];
    const seats = [seat('x', 'a', 1, { pin: hostName('a') })];
    expect(ways(makePlan(drain('a'), { hosts, seats }))).toEqual(['x → b']);
  });

  test('lets be what another move has already, and counts it where that takes it', () => {
    const move = moveId('mv_0123456789abcdef');
    const hosts = [host('a'), host('b'), host('c')];
    const seats = [
      seat('gone', 'a', 10, { moving: { move, target: hostName('b') }, ...group('web') }),
      seat('x', 'a', 10, group('web')),
    ];
    const plan = makePlan(drain('a'), { hosts, seats });
    expect(ways(plan)).toEqual(['x → c']);
    expect(reasons(plan)).toEqual([`endpoint-moving: gone is being moved already, by ${move}`]);
  });
});

test('members of a group that spreads over zones meet in none', () => {
  const hosts = [host('a'), host('b', { zone: 'z2' }), host('c', { zone: 'z2' }), host('d', { zone: 'z3' })];
  const seats = ['x', 'y', 'z'].map((name) => seat(name, 'a', 1, group('web', 'zones')));
  const plan = makePlan(drain('a'), { hosts, seats });
  expect(ways(plan)).toEqual(['x → b', 'y → d']);
  expect(reasons(plan)).toEqual([
    'no-target: no host may take z: 2 hosts hold another of group web, c is in a zone that holds another of group web',
  ]);
});

test('who is named leaves its pin, and goes where it was asked to or says why not', () => {
  const hosts = [host('a'), host('b'), host('c', { closed: 'draining' })];
  const seats = [seat('x', 'a', 1, { pin: hostName('a') }), seat('y', 'a', 1), seat('z', 'b', 1)];
  const plan = makePlan(
    {
      kind: 'pairs',
      pairs: [
        { endpoint: endpointName('x') },
        { endpoint: endpointName('y'), target: hostName('c') },
        { endpoint: endpointName('z'), target: hostName('b') },
        { endpoint: endpointName('nobody') },
      ],
    },
    { hosts, seats },
  );
  expect(ways(plan)).toEqual(['x → b']);
  expect(reasons(plan)).toEqual([
    'no-target: c may not take y: c is draining',
    'source-is-target: z is on b already',
  ]);
  expect(plan.unknown).toEqual(['nobody']);
});

describe('a rebalance', () => {
  const hosts = [host('a'), host('b'), host('c')];
  const tens = (on: string, many: number): Seat[] =>
    Array.from({ length: many }, (_, nth) => seat(`${on}${String(nth).padStart(2, '0')}`, on, 10));

  test('moves no more than is too much, and from where it is', () => {
    const snapshot = { hosts, seats: [...tens('a', 9), ...tens('b', 3)] };
    const plan = makePlan({ kind: 'rebalance' }, snapshot);
    expect(sidesOf(snapshot, plan).map(({ after: { bytes } }) => bytes)).toEqual([40, 40, 40]);
    expect(plan.moves).toHaveLength(5);
    const { before, after } = balanceOf(snapshot, plan);
    expect(before).toBeGreaterThan(0.3);
    expect(after).toBeCloseTo(0, 12);
    expect(plan.moves[0]?.why).toBe('a has 225 % of its fair share of bytes, c 0 %');
  });

  test('does nothing where all is even, or nothing may move', () => {
    expect(
      makePlan({ kind: 'rebalance' }, { hosts, seats: hosts.flatMap(({ name }) => tens(name, 4)) }).moves,
    ).toEqual([]);
    const pinned = tens('a', 9).map((each) => ({ ...each, pin: hostName('a') }));
    expect(makePlan({ kind: 'rebalance' }, { hosts, seats: pinned }).moves).toEqual([]);
    expect(makePlan({ kind: 'rebalance' }, { hosts: [], seats: [] }).moves).toEqual([]);
  });

  test('evens out numbers where bytes are not known, and takes the smallest for it where they are', () => {
    const unsized = tens('a', 9).map((each) => ({ ...each, bytes: 0 }));
    const byNumber = makePlan({ kind: 'rebalance' }, { hosts, seats: unsized });
    expect(byNumber.moves.length).toBeGreaterThanOrEqual(5);
    expect(byNumber.moves[0]?.why).toBe('a has 300 % of its fair share of endpoints, b 0 %');
    const seats = [
      seat('huge-b', 'b', 100),
      seat('huge-c', 'c', 100),
      seat('huge-a', 'a', 82),
      ...tens('a', 9).map((each) => ({ ...each, bytes: 2 })),
    ];
    const few = makePlan({ kind: 'rebalance' }, { hosts, seats });
    expect(few.moves.length).toBeGreaterThan(0);
    for (const { seat: moved } of few.moves) expect(moved.bytes).toBe(2);
  });
});

describe('to bring a host under a share of its capacity', () => {
  const hosts = [host('a'), host('b'), host('c')];
  const relieve = (under: number): Selection => ({ kind: 'relieve', host: hostName('a'), under });

  test('moves as few bytes as do', () => {
    const seats = [seat('p', 'a', 400), seat('q', 'a', 250), seat('r', 'a', 160)];
    expect(ways(makePlan(relieve(0.7), { hosts, seats }))).toEqual(['r → b']);
    expect(ways(makePlan(relieve(0.5), { hosts, seats }))).toEqual(['p → b']);
    expect(ways(makePlan(relieve(0.9), { hosts, seats }))).toEqual([]);
    expect(makePlan(relieve(0.7), { hosts, seats }).moves[0]?.why).toBe(
      'brings a under 70 %; the emptiest of 2 hosts that may take it',
    );
  });

  test('fills no other so far, and says how far it comes', () => {
    const seats = [seat('p', 'a', 400), seat('q', 'a', 400), seat('b1', 'b', 200), seat('c1', 'c', 450)];
    const plan = makePlan(relieve(0.5), { hosts, seats });
    expect(plan.moves).toEqual([]);
    expect(plan.unmet).toMatchObject({ code: 'not-relieved' });
    expect(reasons(plan)).toContain(
      'no-target: no host may take p: 2 hosts would themselves be filled to 50 %',
    );
  });
});
