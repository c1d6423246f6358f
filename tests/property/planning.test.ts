import { describe, expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import type { Selection } from '../../shared/domain/batch.ts';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { makePlan } from '../../shared/domain/planning/make-plan.ts';
import type { PlanHost, Seat, Snapshot } from '../../shared/domain/planning/snapshot.ts';
import { PlanVerifier } from '../support/plan-verifier.ts';

/** Small fleets in which everything is tight: room, zones, groups, pins, versions, and hosts that take nothing. */
const zone = fc.constantFrom('z1', 'z2', 'z3');
const rarely = <T>(arbitrary: Arbitrary<T>, weight = 4): Arbitrary<T | undefined> =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const hostsOf = (count: number): Arbitrary<PlanHost[]> =>
  fc.tuple(...Array.from({ length: count }, (_, nth) => hostCalled(`h${String(nth + 1)}`)));

const hostCalled = (name: string): Arbitrary<PlanHost> =>
  fc
    .record({
      driver: fc.oneof(
        { weight: 9, arbitrary: fc.constant('postgres') },
        { weight: 1, arbitrary: fc.constant('other') },
      ),
      major: rarely(fc.integer({ min: 15, max: 17 }), 1),
      zone,
      capacityBytes: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 20, max: 300 }) },
        { weight: 1, arbitrary: fc.constantFrom(undefined, 0) },
      ),
      closed: rarely(fc.constantFrom('cordoned', 'draining', 'retired', 'failed')),
      hasFailed: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      reservedBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
    })
    .map(({ major, capacityBytes, closed, hasFailed, ...rest }) => ({
      name: hostName(name),
      ...rest,
      hasFailed: hasFailed || closed === 'failed',
      ...(major === undefined ? {} : { major }),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(closed === undefined ? (hasFailed ? { closed: 'failed' as const } : {}) : { closed }),
    }));

const seatOn = (nth: number, hosts: readonly PlanHost[]): Arbitrary<Seat> => {
  const anyHost = fc.constantFrom(...hosts.map(({ name }) => name));
  return fc
    .record({
      host: fc.constantFrom(...hosts),
      bytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
      tier: fc.constantFrom('gold', 'iron'),
      tenant: fc.constantFrom('a', 'b'),
      group: rarely(
        fc.record({
          name: fc.constantFrom('g1', 'g2'),
          spread: fc.constantFrom('hosts' as const, 'zones' as const),
        }),
        2,
      ),
      zones: rarely(fc.uniqueArray(zone, { minLength: 1, maxLength: 2 }), 3),
      pin: rarely(anyHost, 6),
      target: rarely(anyHost, 8),
    })
    .map(({ host, bytes, tier, tenant, group, zones, pin, target }) => ({
      endpoint: endpointName(`e${String(nth)}`),
      driver: host.driver,
      host: host.name,
      bytes,
      labels: { tier, tenant },
      ...(group === undefined ? {} : { group }),
      ...(zones === undefined ? {} : { zones }),
      ...(pin === undefined ? {} : { pin }),
      ...(target === undefined ? {} : { moving: { move: moveId('mv_0123456789abcdef'), target } }),
    }));
};

const fleet: Arbitrary<Snapshot> = fc
  .tuple(fc.integer({ min: 1, max: 7 }).chain(hostsOf), fc.nat({ max: 16 }))
  .chain(([hosts, count]) =>
    fc.record({
      hosts: fc.constant(hosts),
      seats: fc.tuple(...Array.from({ length: count }, (_, nth) => seatOn(nth, hosts))),
    }),
  );

const selectionIn = ({ hosts, seats }: Snapshot): Arbitrary<Selection> => {
  const host = fc.constantFrom(...hosts.map(({ name }) => name));
  const target = rarely(host, 3);
  const aimed = <T extends Selection>(arbitrary: Arbitrary<T>): Arbitrary<Selection> =>
    fc
      .tuple(arbitrary, target)
      .map(([selection, to]) => (to === undefined ? selection : { ...selection, target: to }));
  const names = [...seats.map(({ endpoint }) => endpoint), endpointName('nobody')];
  return fc.oneof(
    aimed(host.map((name) => ({ kind: 'host', host: name }) as const)),
    aimed(fc.constant({ kind: 'labels', labels: { tier: 'gold' } } as const)),
    aimed(
      fc
        .record({
          tenant: fc.constantFrom('a', 'b'),
          atLeast: fc.nat({ max: 30 }),
          atMost: fc.nat({ max: 60 }),
        })
        .map(({ tenant, ...size }) => ({ kind: 'where', where: { tenant, size } }) as const),
    ),
    fc
      .uniqueArray(fc.constantFrom(...names), { minLength: 1 })
      .chain((chosen) => fc.tuple(...chosen.map((endpoint) => fc.tuple(fc.constant(endpoint), target))))
      .map((pairs) => ({
        kind: 'pairs' as const,
        pairs: pairs.map(([endpoint, to]) => (to === undefined ? { endpoint } : { endpoint, target: to })),
      })),
    fc.constant({ kind: 'rebalance' as const }),
    fc
      .record({ host, under: fc.constantFrom(0.1, 0.3, 0.5, 0.7) })
      .map((relief) => ({ kind: 'relieve' as const, ...relief })),
  );
};

const planned = fleet.chain((snapshot) => fc.tuple(fc.constant(snapshot), selectionIn(snapshot)));

describe('a plan', () => {
  test('keeps every rule, in whatever order and however far its moves are made, and finds a place where there is one', () => {
    fc.assert(
      fc.property(planned, ([snapshot, selection]) => {
        const plan = makePlan(selection, snapshot);
        expect(new PlanVerifier(snapshot, selection, plan).faults()).toEqual([]);
      }),
      { numRuns: 4_000 },
    );
  });

  test('is the same for the same fleet, in whatever order that is told', () => {
    fc.assert(
      fc.property(
        planned,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        ([snapshot, selection], keys) => {
          const shuffled = <T>(items: readonly T[]): T[] =>
            items
              .map((item) => ({ item, key: Number(keys.next().value) }))
              .sort((one, other) => one.key - other.key)
              .map(({ item }) => item);
          const again = { hosts: shuffled(snapshot.hosts), seats: shuffled(snapshot.seats) };
          expect(makePlan(selection, again)).toEqual(makePlan(selection, snapshot));
        },
      ),
      { numRuns: 500 },
    );
  });
});
