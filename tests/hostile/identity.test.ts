import { describe, expect, test } from '@jest/globals';
import { besideId } from '../../shared/domain/request.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { HostileWorld, receivedAt } from '../support/hostile-world.ts';

const event = (id: string, data: object): string =>
  JSON.stringify({ specversion: '1.0', id, source: '/ops', type: 'batch-move.requested', data });
const good = event('r-1', { reason: 'test', endpoints: ['shop'], target: 'h2' });
const bad = event('r-1', { reason: 'test', endpoints: [] });
const beside = (text: string) => ({ source: '/ops', id: besideId(parseRequest(text, receivedAt).head) });
const first = { source: '/ops', id: 'r-1' };

describe('an id that is used twice', () => {
  test('leaves what was accepted under it as it is, and keeps the refusal of the other beside it', async () => {
    const { world } = await HostileWorld.inMemory();
    await world.deliver('requests', good);
    await world.deliver('requests', bad);
    await world.deliver('requests', bad);
    expect((await world.store.load('request', first))?.outcome.kind).toBe('accepted');
    expect((await world.store.load('request', beside(bad)))?.outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'field-invalid' },
      field: 'data.endpoints',
    });
  });

  test('leaves a request that is still being carried out to its own end', async () => {
    const { world, table } = await HostileWorld.inMemory();
    // The worker dies after it has recorded the request, before it has opened the batch.
    table.fault = ({ operation, key }) =>
      operation === 'write' && key?.pk.startsWith('BATCH#') === true ? 'lost-request' : 'none';
    await expect(world.deliver('requests', good)).rejects.toThrow('not answered');
    table.fault = () => 'none';
    await world.deliver('requests', bad);
    expect((await world.store.load('request', first))?.outcome.kind).toBe('pending');
    await world.deliver('requests', good);
    expect((await world.store.load('request', first))?.outcome.kind).toBe('accepted');
    expect(world.bus.sent).toHaveLength(1);
  });

  test('is refused the second time when both could have been carried out', async () => {
    const { world } = await HostileWorld.inMemory();
    const other = event('r-1', { reason: 'another', endpoints: ['blog'], target: 'h1' });
    await world.deliver('requests', good);
    await world.deliver('requests', other);
    expect((await world.store.load('request', beside(other)))?.outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'request-id-reused' },
      field: 'id',
    });
    expect(world.bus.sent).toHaveLength(1);
  });

  test('cannot be chosen so that it is the place of another', async () => {
    const { world } = await HostileWorld.inMemory();
    await world.deliver('requests', good);
    const squatter = event(beside(bad).id, { reason: 'test', endpoints: ['blog'], target: 'h1' });
    await world.deliver('requests', squatter);
    await world.deliver('requests', bad);
    expect((await world.store.load('request', beside(bad)))?.outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'field-invalid' },
    });
  });
});

describe('an event that cannot be read', () => {
  test('is kept under its publisher and its id as far as those can be', async () => {
    const { world } = await HostileWorld.inMemory();
    await world.deliver('requests', event('r-9', { reason: 'a\u0000b', endpoints: ['shop'] }));
    expect(await world.store.load('request', { source: '/ops', id: 'r-9' })).toMatchObject({
      type: 'batch-move.requested',
      outcome: { kind: 'refused', failure: { code: 'text-unprintable' }, field: 'data.reason' },
    });
  });

  test('is else kept under a source that no publisher can have, once however often it comes', async () => {
    const { world, table } = await HostileWorld.inMemory();
    const before = table.rows().length;
    for (const text of ['rubbish', 'rubbish', 'more rubbish']) await world.deliver('host-changes', text);
    const made = table.rows().slice(before);
    expect(made.map(({ source }) => source)).toEqual(
      Array.from({ length: 2 }, () => 'unreadable on host-changes'),
    );
    expect(parseRequest(event('x', {}).replace('/ops', 'unreadable on requests'), receivedAt)).toMatchObject({
      refusal: { field: 'source' },
    });
  });
});

describe('what a publisher says of time', () => {
  test('cannot lie ahead of when it was received: nobody could say anything about that host any more', async () => {
    const { world } = await HostileWorld.inMemory();
    const cordon = (id: string, type: string, time?: string): string =>
      JSON.stringify({
        specversion: '1.0',
        id,
        source: '/ops',
        type,
        time,
        data: { host: 'h1', reason: 'x' },
      });
    await world.deliver('host-changes', cordon('1', 'host.cordoned', '9999-12-31T23:59:59Z'));
    const rows = await world.store.load('request', { source: '/ops', id: '1' });
    expect(rows?.outcome.kind).toBe('accepted');
    const [host] = await world.store.loadMany('host', [{ name: hostName('h1') }]);
    expect(host?.intent).toMatchObject({ value: 'cordoned', sequence: receivedAt });
  });
});
