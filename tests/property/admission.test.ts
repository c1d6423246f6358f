import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  byPriority,
  choose,
  whomToSetBack,
  type Candidate,
  type Holder,
} from '../../shared/domain/admission.ts';
import type { Host } from '../../shared/domain/host.ts';
import { permitsOf } from '../../shared/domain/host.ts';
import { batchId, hostName, moveId, type BatchId, type MoveId } from '../../shared/domain/ids.ts';
import { Rooms, type Limits } from '../../shared/domain/rooms.ts';
import { Dice } from '../support/dice.ts';
import { hostOf } from '../support/sample-batch.ts';

const names = ['h0', 'h1', 'h2', 'h3', 'h4'].map(hostName);
const batches = [1, 2, 3].map((nth) => batchId(`bt_0000000000000000000${String(nth)}`));
const idOf = (nth: number): MoveId => moveId(`mv_${String(nth).padStart(16, '0')}`);

interface Fleet {
  readonly hosts: readonly Host[];
  readonly limits: Limits;
  readonly candidates: readonly Candidate[];
  readonly lot: (batch: BatchId) => number;
}

const ways = fc
  .tuple(fc.nat(4), fc.nat(3))
  .map(([from, by]) => ({ source: at(names, from), target: at(names, (from + 1 + by) % names.length) }));

const fleets: fc.Arbitrary<Fleet> = fc
  .record({
    sides: fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.option(fc.nat(3))), { minLength: 5, maxLength: 5 }),
    inAll: fc.integer({ min: 0, max: 12 }),
    inZone: fc.integer({ min: 0, max: 8 }),
    ofBatch: fc.integer({ min: 0, max: 8 }),
    candidates: fc.array(
      fc.record({
        way: ways,
        batch: fc.nat(2),
        priority: fc.constantFrom(20, 50, 80, 90),
        createdAt: fc.nat(9),
      }),
      { maxLength: 40 },
    ),
    seed: fc.nat(),
  })
  .map(({ sides, inAll, inZone, ofBatch, candidates, seed }) => {
    const dice = new Dice(seed);
    const lots = new Map(batches.map((batch) => [batch, dice.fraction()]));
    return {
      hosts: names.map((name, index): Host => {
        const [movesOut, movesIn, spared] = sides[index] ?? [1, 1, null];
        return hostOf(name, {
          zone: `z${String(index % 2)}`,
          movesOut,
          movesIn,
          ...(spared === null ? {} : { throttle: { out: spared, in: spared } }),
        });
      }),
      limits: { inAll, inZone: () => inZone, ofBatch },
      candidates: candidates.map(({ way, batch, ...rest }, nth) => ({
        id: idOf(nth),
        ...way,
        batch: at(batches, batch),
        ...rest,
      })),
      lot: (batch) => lots.get(batch) ?? 0,
    };
  });

const chooseAll = ({ candidates, lot }: Fleet, rooms: Rooms): Candidate[] =>
  byPriority(candidates).flatMap((group) => choose(group, rooms, Infinity, lot));

describe('admission', () => {
  test('never lets more go than any limit allows', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const { hosts, limits } = fleet;
        const chosen = chooseAll(fleet, new Rooms(hosts, limits));
        const zoneOf = new Map(hosts.map(({ name, zone }) => [name, zone]));
        expect(new Set(chosen.map(({ id }) => id)).size).toBe(chosen.length);
        expect(chosen.length).toBeLessThanOrEqual(limits.inAll);
        for (const host of hosts) {
          const out = chosen.filter(({ source }) => source === host.name);
          const into = chosen.filter(({ target }) => target === host.name);
          expect(out.length).toBeLessThanOrEqual(permitsOf(host, 'out'));
          expect(into.length).toBeLessThanOrEqual(permitsOf(host, 'in'));
        }
        for (const zone of ['z0', 'z1']) {
          const touching = chosen.filter((move) =>
            [move.source, move.target].some((host) => zoneOf.get(host) === zone),
          );
          expect(touching.length).toBeLessThanOrEqual(limits.inZone(zone));
        }
        for (const batch of batches)
          expect(chosen.filter((move) => move.batch === batch).length).toBeLessThanOrEqual(limits.ofBatch);
      }),
      { numRuns: 1_000 },
    );
  });

  test('leaves nobody waiting for whom there is room', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const rooms = new Rooms(fleet.hosts, fleet.limits);
        const chosen = new Set(chooseAll(fleet, rooms));
        for (const candidate of fleet.candidates)
          if (!chosen.has(candidate)) expect(rooms.fits(candidate)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('lets nothing go in the place of something more urgent', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const chosen = chooseAll(fleet, new Rooms(fleet.hosts, fleet.limits));
        for (const waits of fleet.candidates) {
          if (chosen.includes(waits)) continue;
          // With those alone that are as urgent, there was no room either.
          const rooms = new Rooms(fleet.hosts, fleet.limits);
          for (const move of chosen) if (move.priority >= waits.priority) rooms.take(move);
          expect(rooms.fits(waits)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the oldest of a lane goes first', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const chosen = new Set(chooseAll(fleet, new Rooms(fleet.hosts, fleet.limits)));
        const lane = ({ source, target, batch, priority }: Candidate): string =>
          [source, target, batch, priority].join(' ');
        for (const goes of chosen)
          for (const waits of fleet.candidates)
            if (!chosen.has(waits) && lane(waits) === lane(goes))
              expect(waits.createdAt).toBeGreaterThanOrEqual(goes.createdAt);
      }),
      { numRuns: 500 },
    );
  });

  test('batches that could all fill the same room get within one of the same share of it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        (sizes, room, seed) => {
          const dice = new Dice(seed);
          const ids = sizes.map((_, nth) => batchId(`bt_0000000000000000001${String(nth)}`));
          const lots = new Map(ids.map((id) => [id, dice.fraction()]));
          const candidates = sizes.flatMap((size, nth) =>
            Array.from({ length: size }, (_, index): Candidate => ({
              id: idOf(nth * 1_000 + index),
              batch: at(ids, nth),
              source: at(names, 0),
              target: at(names, 1),
              priority: 50,
              // Those of the first batch are all older than those of the next.
              createdAt: nth * 1_000 + index,
            })),
          );
          const hosts = names.map((name) => hostOf(name, { movesOut: room, movesIn: room }));
          const rooms = new Rooms(hosts, { inAll: Infinity, inZone: () => Infinity, ofBatch: Infinity });
          const chosen = choose(candidates, rooms, Infinity, (batch) => lots.get(batch) ?? 0);
          const shares = ids.map((id) => chosen.filter(({ batch }) => batch === id).length);
          const least = Math.min(...shares.filter((share, nth) => share < (sizes[nth] ?? 0)));
          for (const share of shares) expect(share).toBeLessThanOrEqual(least + 1);
          expect(chosen.length).toBe(Math.min(room, candidates.length));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('nobody starves: batches that keep coming hold up none that is there', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 3 }), (seed, room) => {
        const dice = new Dice(seed);
        const hosts = names.map((name) => hostOf(name, { movesOut: room, movesIn: room }));
        let waiting: Candidate[] = [];
        let nth = 0;
        const arrive = (batch: BatchId, now: number): void => {
          const from = dice.between(0, 4);
          const target = at(names, (from + dice.between(1, 4)) % names.length);
          waiting.push({
            id: idOf(nth++),
            batch,
            source: at(names, from),
            target,
            priority: 50,
            createdAt: now,
          });
        };
        for (let each = 0; each < 200; each += 1) arrive(at(batches, 0), 0);
        for (let each = 0; each < 5; each += 1) arrive(at(batches, 1), 1);
        let last = 0;
        for (let look = 1; look <= 400 && waiting.some(({ batch }) => batch === batches[1]); look += 1) {
          for (let each = 0; each < 2; each += 1) arrive(at(batches, 2), look);
          const rooms = new Rooms(hosts, { inAll: Infinity, inZone: () => Infinity, ofBatch: Infinity });
          const lots = new Map(batches.map((batch) => [batch, dice.fraction()]));
          const chosen = new Set(choose(waiting, rooms, room, (batch) => lots.get(batch) ?? 0));
          waiting = waiting.filter((move) => !chosen.has(move));
          last = look;
        }
        expect(last).toBeLessThan(100);
      }),
      { numRuns: 100 },
    );
  });

  test('sets back none in vain, all less urgent and none that has begun, and then there is room', () => {
    fc.assert(
      fc.property(fleets, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (fleet, begun) => {
        const rooms = new Rooms(fleet.hosts, fleet.limits);
        const chosen = chooseAll(fleet, rooms);
        const holders = new Map<MoveId, Holder>(
          chosen.map((move, nth) => [move.id, { ...move, mayBeSetBack: begun[nth] === false }]),
        );
        const [source, target] = [at(names, 0), at(names, 1)];
        const urgent: Candidate = {
          id: idOf(99),
          batch: at(batches, 0),
          source,
          target,
          priority: 90,
          createdAt: 0,
        };
        const victims = whomToSetBack(urgent, rooms, holders);
        if (victims === undefined) return;
        expect(new Set(victims).size).toBe(victims.length);
        for (const victim of victims) {
          expect(victim.mayBeSetBack && victim.priority < 90).toBe(true);
          rooms.giveBack(victim);
        }
        expect(rooms.fits(urgent)).toBe(true);
        // Not one of them in vain.
        for (const victim of victims) {
          rooms.take(victim);
          expect(rooms.fits(urgent)).toBe(false);
          rooms.giveBack(victim);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${String(index)}`);
  return item;
}
