import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pictureOf, whatIsAt, type Box, type PlannedHost } from '../../web/fleet/plan.ts';
import { pointOf, shareOf } from '../../web/fleet/travel.ts';

const anyHosts = fc
  .array(
    fc.record({
      capacityBytes: fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined }),
      sizes: fc.array(fc.integer({ min: 0, max: 1e11 }), { maxLength: 120 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((hosts) =>
    hosts.map(({ capacityBytes, sizes }, at): PlannedHost => ({
      host: `h${String(at)}`,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      endpoints: sizes.map((bytes, nth) => ({ endpoint: `e${String(at)}-${String(nth)}`, bytes })),
    })),
  );

/** Less than this is a rounding. */
const hair = 1e-6;
const isWithin = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x - hair &&
  inner.y >= outer.y - hair &&
  inner.x + inner.width <= outer.x + outer.width + hair &&
  inner.y + inner.height <= outer.y + outer.height + hair;
const overlap = (one: Box, other: Box): boolean =>
  one.x + hair < other.x + other.width &&
  other.x + hair < one.x + one.width &&
  one.y + hair < other.y + other.height &&
  other.y + hair < one.y + one.height;

describe('the picture of a fleet', () => {
  test('has every host in it and every endpoint in its host, at any width, and nothing over something else', () => {
    fc.assert(
      fc.property(anyHosts, fc.integer({ min: 300, max: 4_000 }), (hosts, width) => {
        const { columns, height } = pictureOf(hosts, width, 700);
        expect(columns.map(({ host }) => host)).toEqual(hosts.map(({ host }) => host));
        const whole = { x: 0, y: 0, width, height };
        for (const [at, { frame, tiles }] of columns.entries()) {
          expect(isWithin(frame, whole)).toBe(true);
          expect(columns.slice(at + 1).some((other) => overlap(frame, other.frame))).toBe(false);
          expect([...tiles.keys()].sort()).toEqual(
            hosts[at]?.endpoints.map(({ endpoint }) => endpoint).sort(),
          );
          const boxes = [...tiles.values()];
          expect(boxes.every((box) => isWithin(box, frame))).toBe(true);
          expect(boxes.some((box, nth) => boxes.slice(nth + 1).some((other) => overlap(box, other)))).toBe(
            false,
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  test('fills a host as far as it is full, and gives each endpoint the room that it takes', () => {
    const endpoints = Array.from({ length: 40 }, (_, at) => ({
      endpoint: `e${String(at)}`,
      bytes: 1e9 * (1 + (at % 4)),
    }));
    const [column] = pictureOf([{ host: 'a', capacityBytes: 200e9, endpoints }], 600, 700).columns;
    const area = ({ width, height }: Box): number => width * height;
    const boxes = new Map(column?.tiles);
    const all = [...boxes.values()].reduce((sum, box) => sum + area(box), 0);
    expect(column?.filled).toBe(0.5);
    for (const { endpoint, bytes } of endpoints) {
      const box = boxes.get(endpoint);
      expect(area(box ?? { x: 0, y: 0, width: 0, height: 0 }) / all).toBeCloseTo(bytes / 100e9, 2);
    }
  });

  test('tells what is at a point', () => {
    const picture = pictureOf(
      [
        { host: 'a', capacityBytes: 10, endpoints: [{ endpoint: 'x', bytes: 5 }] },
        { host: 'b', capacityBytes: 10, endpoints: [] },
      ],
      600,
      700,
    );
    const [a, b] = picture.columns;
    const at = ({ x, y, width, height }: Box = { x: 0, y: 0, width: 0, height: 0 }) =>
      whatIsAt(picture, x + width / 2, y + height - 3);
    expect(at(a?.frame)).toMatchObject({ column: { host: 'a' }, endpoint: 'x' });
    expect(at(b?.frame)).toEqual({ column: b });
    expect(whatIsAt(picture, 0, 0)).toBeUndefined();
  });
});

describe('an endpoint on its way', () => {
  test('goes forward with time, and no further than its state can mean', () => {
    for (const state of ['transferring', 'cutting-over'] as const) {
      const shares = [0, 500, 2_000, 8_000, 60_000, 3_600_000].map((at) => shareOf({ state, since: 0 }, at));
      expect(shares).toEqual(shares.toSorted((one, other) => one - other));
      expect(shares.at(-1)).toBeLessThan(1);
    }
    const longest = shareOf({ state: 'transferring', since: 0 }, 1e9);
    expect(shareOf({ state: 'cutting-over', since: 0 }, 0)).toBeGreaterThanOrEqual(longest);
    expect(shareOf({ state: 'rolling-back', since: 0 }, 1e9)).toBeLessThan(0.1);
  });

  test('begins at its source and ends at its target', () => {
    const [from, to] = [
      { x: 10, y: 200, width: 20, height: 10 },
      { x: 300, y: 400, width: 20, height: 10 },
    ];
    expect(pointOf(from, to, 0)).toEqual({ x: 20, y: 205 });
    expect(pointOf(from, to, 1)).toEqual({ x: 310, y: 405 });
    // Above the straight way.
    expect(pointOf(from, to, 0.5).y).toBeLessThan(305);
  });
});
