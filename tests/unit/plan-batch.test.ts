import { expect, test } from '@jest/globals';
import { endpointName, type BatchId } from '../../shared/domain/ids.ts';
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
