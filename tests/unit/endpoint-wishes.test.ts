import { expect, test } from '@jest/globals';
import { endpointName } from '../../shared/domain/ids.ts';
import { HostileWorld } from '../support/hostile-world.ts';

async function furnished() {
  const { world } = await HostileWorld.inMemory();
  let count = 0;
  /** Publishes, and tells what became of it. */
  const send = async (type: string, data: object) => {
    count += 1;
    const id = `e-${String(count)}`;
    await world.deliver('requests', JSON.stringify({ specversion: '1.0', id, source: '/ops', type, data }));
    return (await world.store.load('request', { source: '/ops', id }))?.outcome;
  };
  const change = (data: object) => send('endpoint.changed', { name: 'shop', ...data });
  const shop = () => world.store.load('endpoint', { endpoint: endpointName('shop') });
  return { send, change, shop };
}

test('wishes are changed and taken away, and what is not named stays', async () => {
  const { change, shop } = await furnished();
  const group = { name: 'web', spread: 'zones' };
  expect(await change({ sequence: 1, group, zones: ['z'], pin: 'h1', sizeBytes: 5 })).toEqual({
    kind: 'accepted',
  });
  expect(await shop()).toMatchObject({ host: 'h1', epoch: 1, group, zones: ['z'], pin: 'h1', sizeBytes: 5 });
  await change({ sequence: 2, group: null, zones: null, pin: null, labels: {} });
  const after = await shop();
  expect(after).toMatchObject({ labels: {}, sizeBytes: 5 });
  for (const wish of ['group', 'zones', 'pin']) expect(after).not.toHaveProperty(wish);
});

test('a change that arrives late changes what nobody has changed since, whatever the order', async () => {
  const changes = [
    { sequence: 3, pin: 'h1', sizeBytes: 30 },
    { sequence: 1, sizeBytes: 10, labels: { tier: 'iron' } },
    { sequence: 2, labels: { tier: 'lead' }, pin: 'h2' },
  ];
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
    [1, 0, 2],
  ]) {
    const { change, shop } = await furnished();
    for (const nth of order) await change(changes[nth] ?? {});
    expect(await shop()).toMatchObject({ pin: 'h1', sizeBytes: 30, labels: { tier: 'lead' } });
  }
});

test('a change of which nothing is left is told so', async () => {
  const { change, shop } = await furnished();
  await change({ sequence: 5, sizeBytes: 50 });
  expect(await change({ sequence: 4, sizeBytes: 40 })).toMatchObject({
    kind: 'refused',
    field: 'data.sequence',
    failure: { code: 'change-superseded' },
  });
  expect(await shop()).toMatchObject({ sizeBytes: 50 });
});

test.each([
  [{ pin: 'nowhere' }, 'host-unknown', 'there is no host nowhere'],
  [{ pin: 'shut' }, 'pin-impossible', 'it is cordoned'],
  [{ pin: 'ill' }, 'pin-impossible', 'it has failed'],
  [{ pin: 'h2', zones: ['elsewhere'] }, 'pin-impossible', 'it stands in zone z'],
])('a pin %j that cannot be kept is refused, and changes nothing', async (wishes, code, why) => {
  const { send, change, shop } = await furnished();
  const before = await shop();
  const refused = { kind: 'refused', field: 'data.pin', failure: { code } };
  const outcome = await change(wishes);
  expect(outcome).toMatchObject(refused);
  expect(JSON.stringify(outcome)).toContain(why);
  expect(await shop()).toEqual(before);
  expect(
    await send('endpoint.registered', { name: 'new', host: 'h1', database: 'new', ...wishes }),
  ).toMatchObject(refused);
});

test('an endpoint that nobody knows is not changed', async () => {
  const { send } = await furnished();
  expect(await send('endpoint.changed', { name: 'nothing', sizeBytes: 1 })).toMatchObject({
    kind: 'refused',
    field: 'data.name',
    failure: { code: 'endpoint-unknown' },
  });
});
