import { describe, expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { alarmNotification } from '../support/cloudwatch.ts';
import { anyEndpointName, anyHostName } from '../support/arbitraries.ts';
import { HostileWorld, receivedAt, type Topic } from '../support/hostile-world.ts';

const line = fc.stringMatching(/^[a-zA-Z0-9äöü'";. -]{0,60}x$/);
const label = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/), line, { minKeys: 1, maxKeys: 4 });
const policy = fc.record(
  {
    roles: fc.constantFrom('require', 'copy'),
    pauseBudget: fc.constantFrom('PT1S', 500, 'PT0.5S'),
    retention: fc.constantFrom('PT24H', 0, 'P7D'),
    lagLimitBytes: fc.integer({ min: 1_024, max: 1_073_741_824 }),
    offline: fc.constantFrom('refuse', 'allow'),
  },
  { requiredKeys: [] },
);
const optional = <T extends object>(fields: { [K in keyof T]: Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });
const joined = (...parts: readonly Arbitrary<object>[]): Arbitrary<object> =>
  fc.tuple(...parts).map((all) => all.reduce<object>((whole, part) => ({ ...whole, ...part }), {}));

/** Events that are taken: of every type, with every field that the contracts know. */
const sound: Arbitrary<{ readonly topic: Topic; readonly event: object }> = fc.oneof(
  of('requests', 'batch-move.requested', [
    fc.record({ reason: line, endpoints: fc.array(anyEndpointName, { minLength: 1, maxLength: 5 }) }),
    optional({ target: anyHostName, policy }),
  ]),
  of('requests', 'batch-move.requested', [fc.record({ reason: line, labels: label }), optional({ policy })]),
  of('requests', 'batch-move.requested', [fc.record({ reason: line, host: anyHostName })]),
  of('requests', 'batch-move.requested', [
    fc.record({
      reason: line,
      selectionRef: fc.record({
        key: fc.constantFrom('claims/a', 'uploads/b.json'),
        sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
        bytes: fc.integer({ min: 1, max: 1_000_000 }),
      }),
    }),
  ]),
  of('requests', 'endpoint.registered', [
    fc.record({ name: anyEndpointName, host: anyHostName, database: line }),
    optional({ sizeBytes: fc.maxSafeNat(), labels: label }),
  ]),
  of('requests', 'knob.set', [
    fc.oneof(
      fc.record({
        knob: fc.constantFrom('movesInAll', 'startsPerMinute'),
        value: fc.constantFrom(1, 200, null),
      }),
      fc.record({
        knob: fc.constantFrom('pauseBudgetMs', 'graceMs'),
        value: fc.constantFrom(500, 'PT2S', null),
      }),
      fc.record({ knob: fc.constant('healing'), value: fc.constantFrom('on', 'off', null) }),
    ),
    fc.record({ reason: line }),
  ]),
  of('host-changes', 'host.registered', [
    fc.record({
      name: anyHostName,
      driver: fc.constantFrom('postgres', 'simulated'),
      url: fc.constantFrom('postgres://mover@db1.example:5432/postgres', 'sim://here/s9'),
      zone: line,
    }),
    optional({
      capacityBytes: fc.integer({ min: 1 }),
      clientAddress: fc.constantFrom('a:1', '[::1]:5432'),
      options: fc.constantFrom({}, { ca: 'x\ny' }),
    }),
  ]),
  of('host-changes', 'host.cordoned', [
    fc.record({ host: anyHostName, reason: line }),
    optional({ sequence: fc.nat() }),
  ]),
  of('host-changes', 'host.uncordoned', [fc.record({ host: anyHostName })]),
  of('host-changes', 'host.draining', [
    fc.record({ host: anyHostName, reason: line }),
    optional({ policy, sequence: fc.nat(), deadline: fc.constant('2030-01-01T00:00:00Z') }),
  ]),
  of('host-changes', 'host.changed', [
    fc.record({ host: anyHostName, zone: line }),
    optional({ sequence: fc.nat(), labels: label, capacityBytes: fc.integer({ min: 1 }) }),
  ]),
  of('host-changes', 'host.failed', [
    fc.record({ host: anyHostName }),
    optional({ signal: fc.constant('disk'), at: fc.constant('2026-11-21T08:00:00Z'), reason: line }),
  ]),
  of('host-changes', 'host.recovered', [
    fc.record({ host: anyHostName }),
    optional({ signal: fc.constant('alarm:disk of h1'), reason: line }),
  ]),
  of('host-changes', 'host.removed', [fc.record({ host: anyHostName, reason: line })]),
  fc.uuid().map((id) => ({
    topic: 'host-changes' as const,
    event: alarmNotification({ AlarmArn: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${id}` }),
  })),
);

function of(topic: Topic, type: string, parts: readonly Arbitrary<object>[]) {
  return fc
    .tuple(fc.uuid(), joined(...parts))
    .map(([id, data]) => ({ topic, event: { specversion: '1.0', id, source: '/mutant', type, data } }));
}

const rubbish = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1.5, '', ' ', [], {}, [[]], 'a\u0000b', 'a\u202eb', '\ud800'),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const keys = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'Host', 'tar\u0000get', '\ud83d', ''),
  fc.string({ unit: 'binary', maxLength: 220 }),
);
const mutation = fc.record({
  kind: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const, 'wrap' as const),
  at: fc.nat(),
  value: rubbish,
  key: keys,
});

/** The same with one place in it spoilt. */
function mutate(
  whole: unknown,
  { kind, at, value, key }: typeof mutation extends Arbitrary<infer M> ? M : never,
) {
  const copy: unknown = structuredClone(whole);
  const places = placesIn(copy);
  const place = places[at % places.length];
  if (place === undefined) return copy;
  const { holder, name } = place;
  switch (kind) {
    case 'remove':
      Reflect.deleteProperty(holder, name);
      break;
    case 'add':
      put(holder, Array.isArray(holder) ? String(holder.length) : key, value);
      break;
    case 'wrap':
      put(holder, name, [Reflect.get(holder, name)]);
      break;
    case 'replace':
      put(holder, name, value);
      break;
  }
  return copy;
}

const put = (holder: object, name: string, value: unknown): void => {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
};

function placesIn(value: unknown): { readonly holder: object; readonly name: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [{ holder: value, name }, ...placesIn(item)]);
}

const parse = (topic: Topic, text: string) =>
  topic === 'requests' ? parseRequest(text, receivedAt) : parseHostChange(text, receivedAt);

describe('an event that was made from a sound one by spoiling it', () => {
  test('would have been taken before', () => {
    fc.assert(
      fc.property(sound, ({ topic, event }) => {
        expect(parse(topic, JSON.stringify(event))).toMatchObject({ kind: 'event' });
      }),
      { numRuns: 500 },
    );
  });

  test('is taken or refused in whole sentences, and never makes the reader throw', () => {
    fc.assert(
      fc.property(
        sound,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        ({ topic, event }, mutations) => {
          const text = JSON.stringify(mutations.reduce<unknown>(mutate, event));
          const parsed = parse(topic, text);
          expect(parse(topic, text)).toEqual(parsed);
          if (parsed.kind === 'event') return;
          const { code, field, sentence, cure } = parsed.refusal;
          expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
          expect(sentence).toMatch(/^[A-Z].*[.!]$/s);
          expect(cure).toMatch(/^[A-Z].{8,}[.!]$/s);
          expect(`${sentence} ${cure}`).not.toMatch(/undefined|Invalid|\[object|NaN/);
          if (field !== undefined) expect(sentence.isWellFormed() && field.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('is answered for by exactly one row, whose refusal changes nothing else', async () => {
    const { world, table } = await HostileWorld.inMemory();
    await fc.assert(
      fc.asyncProperty(sound, mutation, async ({ topic, event }, spoiling) => {
        const text = JSON.stringify(mutate(event, spoiling));
        const before = new Map(table.rows().map((row) => [`${row.pk} ${row.sk}`, row]));
        const sent = world.bus.sent.length;
        await world.deliver(topic, text);
        const after = table.rows();
        const { source, id } = parse(topic, text).head;
        const kept = await world.store.load('request', { source, id });
        expect(kept?.outcome.kind).toMatch(/^(accepted|refused)$/);
        if (kept?.outcome.kind !== 'refused') return;
        expect(world.bus.sent).toHaveLength(sent);
        const changed = after.filter((row) => {
          const old = before.get(`${row.pk} ${row.sk}`);
          return old === undefined || JSON.stringify(old) !== JSON.stringify(row);
        });
        expect(changed.every(({ kind }) => kind === 'request')).toBe(true);
        expect(changed.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 400 },
    );
  });
});
