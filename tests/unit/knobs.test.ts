import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { freshFleet, knobDefaults, turn, type KnobSetting } from '../../shared/domain/fleet.ts';
import { readFleet } from '../../shared/workflow/fleet-record.ts';
import { acceptRequest } from '../../shared/workflow/requests/accept-request.ts';
import { MoveBench } from '../support/move-bench.ts';

const began = Date.UTC(2026, 10, 21, 9);

const event = (id: string, data: object, afterMs = 0): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source: '/ops',
    type: 'knob.set',
    time: new Date(began + afterMs).toISOString(),
    data,
  });

const refusalOf = (data: object) => {
  const parsed = parseRequest(event('1', data), began);
  if (parsed.kind === 'event') throw new Error('it was taken');
  return parsed.refusal;
};

describe('a knob.set event', () => {
  test('that sets a knob which there is not is told of those that there are', () => {
    expect(refusalOf({ knob: 'speed', value: 1, reason: 'x' })).toMatchObject({
      code: 'field-invalid',
      field: 'data.knob',
      sentence: expect.stringContaining('movesInAll, movesPerZone'),
    });
  });

  test.each([
    ['movesInAll', 0],
    ['movesPerZone', 1.5],
    ['movesPerBatch', '50'],
    ['startsPerMinute', 100_001],
    ['pauseBudgetMs', 'soon'],
    ['pauseBudgetMs', 5],
    ['healing', true],
    ['graceMs', -1],
    ['graceMs', 'P2D'],
  ])('that sets %s to %j is refused at its value', (knob, value) => {
    expect(refusalOf({ knob, value, reason: 'x' })).toMatchObject({
      code: 'field-invalid',
      field: 'data.value',
    });
  });

  test('needs a value and a reason', () => {
    expect(refusalOf({ knob: 'movesInAll', reason: 'x' })).toMatchObject({ field: 'data.value' });
    expect(refusalOf({ knob: 'movesInAll', value: 5 })).toMatchObject({ field: 'data.reason' });
  });
});

describe('the knobs of an installation', () => {
  const setBy = async (bench: MoveBench, text: string): Promise<void> => {
    await acceptRequest(bench.services, parseRequest(text, began + 60_000));
  };

  test('are at their defaults until somebody turns one', async () => {
    const { services } = new MoveBench();
    expect((await readFleet(services)).knobs).toEqual(knobDefaults);
  });

  test('count at once, and say who set them, when and why', async () => {
    const bench = new MoveBench();
    await setBy(bench, event('1', { knob: 'movesInAll', value: 50, reason: 'backups' }));
    await setBy(bench, event('2', { knob: 'pauseBudgetMs', value: 'PT0.5S', reason: 'sale' }, 1_000));
    expect(await readFleet(bench.services)).toMatchObject({
      knobs: { ...knobDefaults, movesInAll: 50, pauseBudgetMs: 500 },
      turned: { movesInAll: { by: '/ops', at: began, reason: 'backups' } },
    });
    expect(await bench.services.store.load('request', { source: '/ops', id: '1' })).toMatchObject({
      reason: 'backups',
      outcome: { kind: 'accepted' },
    });
    await setBy(bench, event('3', { knob: 'pauseBudgetMs', value: null, reason: 'over' }, 2_000));
    expect((await readFleet(bench.services)).knobs).toEqual({ ...knobDefaults, movesInAll: 50 });
  });

  test('keep the later of two settings, whichever arrives first, and the other one is told', async () => {
    const bench = new MoveBench();
    await setBy(bench, event('new', { knob: 'movesInAll', value: 50, reason: 'new' }, 1_000));
    await setBy(bench, event('old', { knob: 'movesInAll', value: 70, reason: 'old' }));
    expect((await readFleet(bench.services)).knobs.movesInAll).toBe(50);
    expect(await bench.services.store.load('request', { source: '/ops', id: 'old' })).toMatchObject({
      outcome: { kind: 'refused', failure: { code: 'knob-superseded' } },
    });
  });

  test('end the same in whatever order their settings arrive, and however often', () => {
    const settings: fc.Arbitrary<KnobSetting> = fc.oneof(
      fc.record({ knob: fc.constant('movesInAll' as const), value: fc.nat() }, { requiredKeys: ['knob'] }),
      fc.record({ knob: fc.constant('pauseBudgetMs' as const), value: fc.nat() }, { requiredKeys: ['knob'] }),
      fc.record({ knob: fc.constant('healing' as const), value: fc.constantFrom('on', 'off') }),
    );
    const stories = fc.array(settings, { maxLength: 8 }).chain((turns) => {
      const dated = turns.map((setting, at) => ({ setting, by: { by: 'x', at, reason: 'y' } }));
      const twice = [...dated, ...dated];
      return fc.tuple(fc.constant(dated), fc.shuffledSubarray(twice, { minLength: twice.length }));
    });
    fc.assert(
      fc.property(stories, ([dated, shuffled]) => {
        const after = (list: typeof dated) =>
          list.reduce((fleet, { setting, by }) => turn(fleet, setting, by) ?? fleet, freshFleet);
        expect(after(shuffled)).toEqual(after(dated));
      }),
    );
  });
});
