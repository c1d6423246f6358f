import { describe, expect, test } from '@jest/globals';
import { hostileCorpus, type HostileEvent } from '../support/hostile-corpus.ts';
import { HostileWorld, receivedAt } from '../support/hostile-world.ts';
import { createViews } from '../../shared/aws/views.ts';
import { machineClock } from '../../shared/runtime/clock.ts';

const corpus = hostileCorpus();
const hour = new Date(receivedAt).toISOString().slice(0, 13);

/** A sentence for people: it has no hole in it, nor the words of a library. */
const spoilt = /undefined|Invalid input|\[object|NaN|\s{2}|^$/;

describe('the corpus of hostile events', () => {
  test('is a large one, of all kinds', () => {
    expect(corpus.length).toBeGreaterThan(800);
    expect(new Set(corpus.map(({ code }) => code)).size).toBeGreaterThan(25);
  });

  test.each(corpus.map((each) => [`${each.topic}: ${each.what}`, each] as const))(
    'refuses %s',
    async (_what, hostile) => {
      await refuses(hostile);
    },
  );
});

async function refuses({ topic, text, code, field }: HostileEvent): Promise<void> {
  const { world, table } = await HostileWorld.inMemory();
  const before = table.rows();
  // Queues deliver more than once: the second time changes nothing.
  await world.deliver(topic, text);
  const after = table.rows();
  await world.deliver(topic, text);
  expect(table.rows()).toEqual(after);

  expect(after.slice(0, before.length)).toEqual(before);
  const made = after.slice(before.length);
  expect(made.map(({ kind }) => kind)).toEqual(['request']);
  expect(world.bus.sent).toEqual([]);
  expect(world.bus.announced).toEqual([]);
  expect([...world.blobs.contents]).toEqual([]);

  const views = createViews({ query: table.query, clock: machineClock });
  const { items } = await views.refusalsAt(hour);
  expect(items).toHaveLength(1);
  const [kept] = await world.store.loadMany('request', items);
  if (kept?.outcome.kind !== 'refused') throw new Error(`not refused: ${JSON.stringify(kept)}`);
  const { failure, field: named } = kept.outcome;
  expect({ code: failure.code, field: named }).toEqual({ code, field });
  expect(failure.sentence).not.toMatch(spoilt);
  expect(failure.cure).not.toMatch(spoilt);
  expect(failure.cure.length).toBeGreaterThan(10);
}
