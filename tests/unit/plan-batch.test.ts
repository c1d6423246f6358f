import { expect, test } from '@jest/globals';
import { endpointName, hostName, type BatchId } from '../../shared/domain/ids.ts';
import { moveIdOf, planBatch } from '../../shared/workflow/planning/plan-batch.ts';
import { HostileWorld, planningServices } from '../support/hostile-world.ts';

const time = { remainingMs: () => 60_000 };

/** A world in which a request has been accepted. */
async function requested(data: object) {
  const { world, table } = await HostileWorld.inMemory();
  const event = { specversion: '1.0', id: 'r', source: '/ops', type: 'batch-move.requested', data };
  await world.deliver('requests', JSON.stringify(event));
  const kept = await world.store.load('request', { source: '/ops', id: 'r' });
  const services = planningServices(world, table);
  const outcome = kept?.outcome;
  const batchOf = (id: BatchId) => world.store.load('batch', { id });
  const moveOf = async (id: BatchId, name: string) => {
    const batch = await batchOf(id);
    if (batch === undefined) throw new Error('no batch');
    return world.store.load('move', { id: moveIdOf(services, batch, endpointName(name)) });
  };
  return { world, services, outcome, batchOf, moveOf };
}

async function planned(data: object) {
  const { outcome, ...rest } = await requested(data);
  if (outcome?.kind !== 'accepted' || outcome.batch === undefined) throw new Error(JSON.stringify(outcome));
  await planBatch(rest.services, { batch: outcome.batch }, time);
  return { ...rest, batch: outcome.batch };
}

test('each pair goes to its own target, and one without to what the planner chooses', async () => {
  const pairs = [{ endpoint: 'shop', target: 'late' }, { endpoint: 'blog' }];
  const { batch, moveOf } = await planned({ reason: 'test', pairs });
  expect(await moveOf(batch, 'shop')).toMatchObject({ source: 'h1', target: 'late', why: 'asked for' });
  const chosen = await moveOf(batch, 'blog');
  expect(chosen?.source).toBe('h2');
  expect(['h1', 'late']).toContain(chosen?.target);
  expect(chosen?.why).not.toBe('asked for');
});

test.each([
  [{ endpoint: 'shop', target: 'nowhere' }, 'host-unknown', 'data.pairs[1].target'],
  [{ endpoint: 'shop', target: 'shut' }, 'target-closed', 'data.pairs[1].target'],
  [{ endpoint: 'shop', target: 'h1' }, 'source-is-target', 'data.pairs[1].endpoint'],
  [{ endpoint: 'nothing' }, 'endpoint-unknown', 'data.pairs[1].endpoint'],
  [{ endpoint: 'busy' }, 'endpoint-moving', 'data.pairs[1].endpoint'],
])('a pair %j is refused with the place where it stands', async (pair, code, field) => {
  const { outcome } = await requested({ reason: 'test', pairs: [{ endpoint: 'blog' }, pair] });
  expect(outcome).toMatchObject({ kind: 'refused', failure: { code }, field });
});

test('what is selected by its labels, tenant, size and host is moved, and nothing else', async () => {
  const where = { labels: { tier: 'gold' }, size: { atMost: 10 }, host: 'h2' };
  const { batch, batchOf, moveOf } = await planned({ reason: 'test', where });
  expect(await batchOf(batch)).toMatchObject({ total: 1, state: 'running' });
  expect(await moveOf(batch, 'blog')).toMatchObject({ source: 'h2' });
});

/** A world in which `shop` and `busy` are bound to zone z, where only h1 is open, and another drain of h1 is asked for. */
async function lastOfItsZone(zones: readonly string[]) {
  const { world } = await HostileWorld.inMemory();
  for (const name of ['h2', 'late', 'seq', 'seq2', 'shut', 'ill']) {
    const host = await world.store.load('host', { name: hostName(name) });
    if (host !== undefined) await world.store.commit('host', host, { ...host, zone: 'y' });
  }
  for (const name of ['shop', 'busy']) {
    const found = await world.store.load('endpoint', { endpoint: endpointName(name) });
    if (found === undefined) throw new Error('no endpoint');
    const { claim: _, ...placement } = found;
    await world.store.commit('endpoint', found, { ...placement, zones: [...zones] });
  }
  const data = { host: 'h1', reason: 'test', sequence: 5 };
  const event = { specversion: '1.0', id: 'd', source: '/ops', type: 'host.draining', data };
  await world.deliver('host-changes', JSON.stringify(event));
  const outcome = (await world.store.load('request', { source: '/ops', id: 'd' }))?.outcome;
  return { outcome, host: await world.store.load('host', { name: hostName('h1') }), sent: world.bus.sent };
}

test('a drain of the last host of a zone for what is bound to that zone is refused, and nothing is begun', async () => {
  const { outcome, host, sent } = await lastOfItsZone(['z']);
  expect(outcome).toMatchObject({ kind: 'refused', field: 'data.host', failure: { code: 'no-target' } });
  expect(JSON.stringify(outcome)).toContain('are outside its zones (z)');
  expect(JSON.stringify(outcome)).toContain('so it is with 1 more');
  expect(host?.intent).toMatchObject({ value: 'active', sequence: 0 });
  expect(sent).toEqual([]);
});

test('a drain of which something can move is accepted', async () => {
  const { outcome, host } = await lastOfItsZone(['z', 'y']);
  expect(outcome).toMatchObject({ kind: 'accepted' });
  expect(host?.intent.value).toBe('draining');
});

test('a host whose size nobody knows cannot be brought under a share of it', async () => {
  const { outcome } = await requested({ reason: 'test', relieve: { host: 'h1', under: 0.7 } });
  expect(outcome).toMatchObject({
    kind: 'refused',
    field: 'data.relieve.host',
    failure: { code: 'capacity-unknown' },
  });
});
