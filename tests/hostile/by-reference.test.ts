import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { HostileWorld, planningServices } from '../support/hostile-world.ts';
import { planBatch } from '../../shared/workflow/planning/plan-batch.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';

const megabyte = 1_048_576;
const text = (value: unknown): string => JSON.stringify(value);
const checkOf = (key: string, body: string) => ({
  key,
  sha256: createHash('sha256').update(body).digest('hex'),
  bytes: Buffer.byteLength(body),
});

const event = (id: string, selectionRef: object): string =>
  text({
    specversion: '1.0',
    id,
    source: '/hostile',
    type: 'batch-move.requested',
    data: { reason: 'test', selectionRef },
  });

async function outcomeOf(body: string, key = 'uploads/selection.json') {
  const { world, table } = await HostileWorld.inMemory();
  world.blobs.contents.set(key, body);
  const rows = table.rows();
  await world.deliver('requests', event('by-reference', checkOf(key, body)));
  const kept = await world.store.load('request', { source: '/hostile', id: 'by-reference' });
  return { outcome: kept?.outcome, world, table, rows };
}

describe('a selection by reference is refused, and nothing is begun,', () => {
  test.each<[string, string, string]>([
    ['that is no JSON', 'not json', 'claim-check-not-json'],
    ['of ten megabytes of noise', 'x'.repeat(10 * megabyte), 'claim-check-not-json'],
    ['of ten megabytes of something else', text({ noise: 'x'.repeat(10 * megabyte) }), 'selection-invalid'],
    ['that is null', 'null', 'selection-invalid'],
    ['that is a list', '["shop"]', 'selection-invalid'],
    ['that is a report of ours', text([{ code: 'x', severity: 'warning' }]), 'selection-invalid'],
    ['of a kind that is none', text({ kind: 'all' }), 'selection-invalid'],
    ['of no endpoints', text({ kind: 'endpoints', endpoints: [] }), 'selection-invalid'],
    ['of names that are none', text({ kind: 'endpoints', endpoints: ['a b'] }), 'selection-invalid'],
    ['of numbers', text({ kind: 'endpoints', endpoints: [1] }), 'selection-invalid'],
    [
      'of more endpoints than a batch takes',
      text({ kind: 'endpoints', endpoints: Array.from({ length: 100_001 }, (_, nth) => `e${String(nth)}`) }),
      'selection-invalid',
    ],
    ['of no pairs', text({ kind: 'pairs', pairs: [] }), 'selection-invalid'],
    ['of pairs that are texts', text({ kind: 'pairs', pairs: ['shop'] }), 'selection-invalid'],
    [
      'of pairs that contradict each other',
      text({ kind: 'pairs', pairs: [{ endpoint: 'shop', target: 'h2' }, { endpoint: 'shop' }] }),
      'selection-invalid',
    ],
    [
      'of a pair whose target nobody knows',
      text({ kind: 'pairs', pairs: [{ endpoint: 'blog' }, { endpoint: 'shop', target: 'nowhere' }] }),
      'host-unknown',
    ],
    ['of nothing in particular', text({ kind: 'where', where: {} }), 'selection-invalid'],
    [
      'of a host to be relieved of all and more',
      text({ kind: 'relieve', host: 'h1', under: 0 }),
      'selection-invalid',
    ],
    [
      'of a host to be relieved whose size nobody knows',
      text({ kind: 'relieve', host: 'h1', under: 0.5 }),
      'capacity-unknown',
    ],
    ['of no labels, which would be everything', text({ kind: 'labels', labels: {} }), 'selection-invalid'],
    [
      'of a label that only the prototype has',
      '{"kind":"labels","labels":{"__proto__":"x"}}',
      'selection-invalid',
    ],
    ['of labels that are numbers', text({ kind: 'labels', labels: { a: 1 } }), 'selection-invalid'],
    ['with a field that is not known', text({ kind: 'host', host: 'h1', all: true }), 'selection-invalid'],
    ['of a host onto itself', text({ kind: 'host', host: 'h1', target: 'h1' }), 'selection-invalid'],
    ['of a host that nobody knows', text({ kind: 'host', host: 'nowhere' }), 'host-unknown'],
    [
      'to a target that nobody knows',
      text({ kind: 'endpoints', endpoints: ['shop'], target: 'nowhere' }),
      'host-unknown',
    ],
    [
      'to a target that takes nothing',
      text({ kind: 'endpoints', endpoints: ['shop'], target: 'shut' }),
      'target-closed',
    ],
  ])('%s', async (_what, body, code) => {
    const { outcome, world, table, rows } = await outcomeOf(body);
    expect(outcome).toMatchObject({ kind: 'refused', field: 'data.selectionRef', failure: { code } });
    expect(text(outcome).length).toBeLessThan(1_000);
    expect(world.bus.sent).toEqual([]);
    expect(table.rows().slice(0, rows.length)).toEqual(rows);
    expect(table.rows()).toHaveLength(rows.length + 1);
    expect(world.blobs.contents.size).toBe(1);
  });

  test('whose object is not there', async () => {
    const { world } = await HostileWorld.inMemory();
    await world.deliver('requests', event('absent', checkOf('claims/none', 'x')));
    expect((await world.store.load('request', { source: '/hostile', id: 'absent' }))?.outcome).toMatchObject({
      kind: 'refused',
      field: 'data.selectionRef',
      failure: { code: 'claim-check-missing' },
    });
  });

  test('whose object has been tampered with', async () => {
    const { world } = await HostileWorld.inMemory();
    const body = text({ kind: 'endpoints', endpoints: ['shop'], target: 'h2' });
    world.blobs.contents.set('k', body.replace('shop', 'blog'));
    await world.deliver('requests', event('tampered', checkOf('k', body)));
    expect(
      (await world.store.load('request', { source: '/hostile', id: 'tampered' }))?.outcome,
    ).toMatchObject({ kind: 'refused', failure: { code: 'claim-check-altered' } });
  });
});

describe('a selection by reference that is sound', () => {
  const body = text({ kind: 'endpoints', endpoints: ['shop'], target: 'h2' });

  test('is copied, so that nobody can change afterwards what was accepted', async () => {
    const { outcome, world, table } = await outcomeOf(body);
    if (outcome?.kind !== 'accepted' || outcome.batch === undefined) throw new Error('not accepted');
    world.blobs.contents.delete('uploads/selection.json');
    await planBatch(planningServices(world, table), { batch: outcome.batch }, { remainingMs: () => 1_000 });
    expect(await world.store.load('batch', { id: outcome.batch })).toMatchObject({
      state: 'running',
      total: 1,
    });
  });

  test('that is lost from our own keeping ends its batch with the reason, and is not tried for ever', async () => {
    const { outcome, world, table } = await outcomeOf(body);
    if (outcome?.kind !== 'accepted' || outcome.batch === undefined) throw new Error('not accepted');
    world.blobs.contents.clear();
    const services = planningServices(world, table);
    await planBatch(services, { batch: outcome.batch }, { remainingMs: () => 1_000 });
    await dispatchMoves(services, [{ batch: outcome.batch }], { remainingMs: () => 1_000 });
    expect(await world.store.load('batch', { id: outcome.batch })).toMatchObject({
      state: 'completed',
      total: 0,
      failure: { code: 'claim-check-missing' },
    });
    expect(world.bus.announced).toMatchObject([
      { type: 'batch.completed', data: { failure: { code: 'claim-check-missing' } } },
    ]);
  });
});
