import { describe, expect, test } from '@jest/globals';
import { definedOnly } from '../../shared/aws/layout.ts';
import { hostRow } from '../../shared/contracts/rows/host.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { lowered, mostSignals, raised, healthy, type Health } from '../../shared/domain/health.ts';
import { acceptsArrivals, type Host } from '../../shared/domain/host.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { labelOf } from '../../shared/domain/move.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import { hostNetworks } from '../../shared/runtime/host-networks.ts';
import { siteOf } from '../../shared/workflow/host-site.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { MoveBench } from '../support/move-bench.ts';
import { began, hostOf, moveOf, states } from '../support/sample-batch.ts';

const receivedAt = began;
let count = 0;

/** Delivers an event. @returns what became of it */
async function send(
  { services }: Pick<MoveBench, 'services'>,
  type: string,
  data: object,
): Promise<RequestRecord['outcome'] | undefined> {
  count += 1;
  const id = String(count);
  const text = JSON.stringify({ specversion: '1.0', id, source: '/ops', type, data });
  await reactToHostChange(services, parseHostChange(text, receivedAt));
  return (await services.store.load('request', { source: '/ops', id }))?.outcome;
}

async function hostIn({ services: { store } }: MoveBench, name = 'a'): Promise<Host> {
  const host = await store.load('host', { name: hostName(name) });
  if (host === undefined) throw new Error('there is no host');
  return host;
}

const at = (second: number): string => new Date(receivedAt - 60_000 + second * 1_000).toISOString();
const accepted = { kind: 'accepted' };
const refusedWith = (code: string, field: string) => ({ kind: 'refused', failure: { code }, field });

describe('the health of a host', () => {
  test('is no matter of its intent: a draining host that fails and recovers is still draining', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    await send(bench, 'host.draining', { host: 'a', reason: 'old' });
    const { intent } = await hostIn(bench);
    expect(await send(bench, 'host.failed', { host: 'a', reason: 'fan 3', at: at(1) })).toEqual(accepted);
    expect(await hostIn(bench)).toMatchObject({
      intent,
      signals: { reported: { kind: 'failed', since: Date.parse(at(1)), reason: 'fan 3' } },
    });
    await send(bench, 'host.recovered', { host: 'a', at: at(2) });
    expect(await hostIn(bench)).toMatchObject({ intent, signals: {} });
  });

  test('takes each signal by its own name and time', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    await send(bench, 'host.failed', { host: 'a', signal: 'disk', at: at(5) });
    await send(bench, 'host.failed', { host: 'a', at: at(6) });
    await send(bench, 'host.recovered', { host: 'a', at: at(7) });
    await send(bench, 'host.recovered', { host: 'a', signal: 'disk', at: at(4) });
    expect(Object.keys((await hostIn(bench)).signals)).toEqual(['disk']);
    await send(bench, 'host.failed', { host: 'a', at: at(6) });
    expect(Object.keys((await hostIn(bench)).signals)).toEqual(['disk']);
  });

  test('a late word that it was over falls between the right two', () => {
    const heard = [10, 20, 30].reduce<Health>((health, time) => {
      const next = raised(health, { signal: 'x', kind: 'failed', at: time });
      if (next === 'full') throw new Error('full');
      return next;
    }, healthy);
    expect(lowered(heard, 'x', 15).signals).toEqual({ x: { kind: 'failed', since: 20, at: 30 } });
    expect(lowered(heard, 'x', 31).signals).toEqual({});
  });

  test('has room for so much at once, and says so', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    for (let nth = 0; nth < mostSignals; nth += 1)
      expect(await send(bench, 'host.failed', { host: 'a', signal: `s${String(nth)}` })).toEqual(accepted);
    expect(await send(bench, 'host.failed', { host: 'a', signal: 'more' })).toMatchObject(
      refusedWith('signals-too-many', 'data.signal'),
    );
    expect(await send(bench, 'host.failed', { host: 'a', signal: 's0' })).toEqual(accepted);
  });

  test('a failed host takes no arrivals, a strained one does', () => {
    const signal = (kind: 'failed' | 'strained') => ({ signals: { x: { kind, since: 1, at: 1 } } });
    expect(acceptsArrivals(hostOf('a', signal('failed')))).toBe(false);
    expect(acceptsArrivals(hostOf('a', signal('strained')))).toBe(true);
  });

  test('of a row of an earlier release is read as a failure', () => {
    const { labels: _, cleared: __, sequences: ___, ...row } = definedOnly(hostRow.encode(hostOf('a')));
    expect(hostRow.decode({ ...row, signals: { 'disk-failing': 7 } })).toEqual(
      hostOf('a', { signals: { 'disk-failing': { kind: 'failed', since: 7, at: 7 } } }),
    );
  });
});

describe('what a host is', () => {
  test('is changed part by part, each by its own sequence', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { capacityBytes: 1 });
    await send(bench, 'host.changed', { host: 'a', sequence: 2, capacityBytes: 500 });
    const outcome = await send(bench, 'host.changed', {
      host: 'a',
      sequence: 1,
      capacityBytes: 400,
      zone: 'z9',
      labels: { rack: '7' },
    });
    expect(outcome).toEqual(accepted);
    expect(await hostIn(bench)).toMatchObject({ capacityBytes: 500, zone: 'z9', labels: { rack: '7' } });
    expect(await send(bench, 'host.changed', { host: 'a', sequence: 1, capacityBytes: 300 })).toMatchObject(
      refusedWith('change-superseded', 'data.sequence'),
    );
  });

  test('a new way in is tried, and must lead to the same server', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    await bench.addHost('b');
    const { services } = bench;
    const driver = await services.driver('simulated');
    const held = await hostIn(bench);
    const { systemIdentifier } = await driver.describe(await siteOf(services, held));
    await services.store.commit('host', held, { ...held, systemIdentifier });
    expect(await send(bench, 'host.changed', { host: 'a', url: 'sim://here/b' })).toMatchObject(
      refusedWith('host-is-another', 'data.url'),
    );
    expect(await send(bench, 'host.changed', { host: 'a', url: 'sim://here/nowhere' })).toMatchObject(
      refusedWith('host-unreachable', 'data.url'),
    );
    expect(await send(bench, 'host.changed', { host: 'a', url: 'sim://there/a' })).toEqual(accepted);
    expect(await hostIn(bench)).toMatchObject({ url: 'sim://there/a', systemIdentifier });
  });
});

describe('where a host may be', () => {
  /** A stage whose hosts are in one network; nothing of it is asked by name. */
  function fenced(bench: MoveBench): Pick<MoveBench, 'services'> {
    const { services } = bench;
    const driver = (): never => {
      throw new Error('a host was looked at');
    };
    const settings = { ...services.settings, hostNetworks: hostNetworks(['10.0.0.0/8'], false) };
    return { services: { ...services, settings, driver } };
  }
  const host = { name: 'new', driver: 'postgres', zone: 'z1' };
  const inside = 'postgres://mover@10.0.0.7:5432/postgres';

  test.each([
    [{ url: 'postgres://mover@169.254.169.254/postgres' }, 'data.url'],
    [{ url: 'postgres://mover@[fd00:ec2::254]:80/postgres' }, 'data.url'],
    [{ url: 'postgres://mover@127.0.0.1:6379/postgres' }, 'data.url'],
    [{ url: inside, replicationAddress: '169.254.169.254:80' }, 'data.replicationAddress'],
    [{ url: inside, replicationAddress: '[::1]:5432' }, 'data.replicationAddress'],
    [{ url: inside, replicationAddress: '2852039166:5432' }, 'data.replicationAddress'],
    [{ url: inside, replicationAddress: '0xa9fea9fe' }, 'data.replicationAddress'],
    [{ url: 'postgres://mover@169.254.43518/postgres' }, 'data.url'],
  ])('is said before anything is connected to: %j is refused', async (address, field) => {
    const bench = new MoveBench();
    const outcome = await send(fenced(bench), 'host.registered', { ...host, ...address });
    expect(outcome).toMatchObject(refusedWith('host-address-refused', field));
    expect(await bench.services.store.load('host', { name: hostName('new') })).toBeUndefined();
  });

  test('holds for an address that is changed, and the host stays as it was', async () => {
    const bench = new MoveBench();
    await bench.addHost('a', { url: inside, replicationAddress: '10.0.0.7:5432' });
    const before = await hostIn(bench);
    for (const [part, value] of [
      ['url', 'postgres://mover@192.168.0.1/postgres'],
      ['replicationAddress', '192.168.0.1:5432'],
    ] as const) {
      const outcome = await send(fenced(bench), 'host.changed', { host: 'a', [part]: value });
      expect(outcome).toMatchObject(refusedWith('host-address-refused', `data.${part}`));
    }
    expect(await hostIn(bench)).toEqual(before);
    expect(
      await send(fenced(bench), 'host.changed', { host: 'a', replicationAddress: '10.9.9.9:5432' }),
    ).toEqual(accepted);
  });

  test('is asked of what an event says, and not of a host that is older than the networks', async () => {
    const bench = new MoveBench();
    const outside = { url: 'postgres://mover@192.168.0.1/postgres', replicationAddress: '192.168.0.1:5432' };
    await bench.addHost('a', outside);
    const stage = fenced(bench);
    const other = { zone: 'z9', capacityBytes: 500, labels: { rack: '7' } };
    expect(await send(stage, 'host.changed', { host: 'a', ...other })).toEqual(accepted);
    expect(await send(stage, 'host.changed', { host: 'a', replicationAddress: '10.0.0.7:5432' })).toEqual(
      accepted,
    );
    expect(await hostIn(bench)).toMatchObject({
      ...other,
      url: outside.url,
      replicationAddress: '10.0.0.7:5432',
    });
    // Its password cannot be tried where no function may go.
    const driver = () => Promise.resolve(postgresDriver);
    const outcome = await send({ services: { ...stage.services, driver } }, 'host.changed', {
      host: 'a',
      secret: 'password',
    });
    expect(outcome).toMatchObject(refusedWith('host-address-refused', 'data.secret'));
  });
});

describe('a host that is removed', () => {
  test('is retired once nothing is on it, and an uncordon takes it back', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    expect(await send(bench, 'host.removed', { host: 'a', reason: 'sold', sequence: 5 })).toEqual(accepted);
    expect(await send(bench, 'host.removed', { host: 'a', reason: 'sold', sequence: 5 })).toEqual(accepted);
    expect((await hostIn(bench)).intent).toEqual({ value: 'retired', sequence: 5, reason: 'sold' });
    expect(await send(bench, 'host.uncordoned', { host: 'a', sequence: 4 })).toMatchObject(
      refusedWith('intent-superseded', 'data.sequence'),
    );
    await send(bench, 'host.uncordoned', { host: 'a', sequence: 6 });
    expect((await hostIn(bench)).intent.value).toBe('active');
  });

  test('is refused while an endpoint is on it, or a move is on its way there', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const { store, permits } = bench.services;
    const onEndpoint = await send(bench, 'host.removed', { host: 'a', reason: 'sold' });
    expect(onEndpoint).toMatchObject(refusedWith('host-in-use', 'data.host'));
    expect(JSON.stringify(onEndpoint)).toContain('it holds 1 endpoint: shop');
    const { id } = await bench.move();
    await permits.reserve(hostName('b'), id, 5);
    const onMove = await send(bench, 'host.removed', { host: 'b', reason: 'sold' });
    expect(onMove).toMatchObject(refusedWith('host-in-use', 'data.host'));
    expect(JSON.stringify(onMove)).toContain(id);
    expect((await store.load('host', { name: hostName('b') }))?.intent.value).toBe('active');
  });

  test('is refused while moves keep copies there, unless it has failed', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    const { id } = moveOf(1, 'shop', states.waiting);
    await bench.services.store.insert('cleanup', {
      move: id,
      run: 1,
      host: hostName('a'),
      items: [],
      version: 1,
    });
    expect(await send(bench, 'host.removed', { host: 'a', reason: 'sold' })).toMatchObject(
      refusedWith('host-in-use', 'data.host'),
    );
    await send(bench, 'host.failed', { host: 'a' });
    expect(await send(bench, 'host.removed', { host: 'a', reason: 'sold' })).toEqual(accepted);
  });
});

describe('what moves have kept on a host', () => {
  test('goes with it when it is removed, and nobody is asked who would never answer', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.deliver(({ execution }) => labelOf(execution) === 'moved');
    const { store } = bench.services;
    const held = await hostIn(bench);
    await store.commit('host', held, { ...held, intent: { value: 'retired', sequence: 9, reason: 'dead' } });
    bench.network.behave('a', { down: true });
    const { id } = await bench.move();
    expect(await store.load('cleanup', { move: id, run: 1, host: hostName('a') })).toBeDefined();
    bench.clock.pass(86_400_000);
    await bench.bus.sendWork({ kind: 'work', task: id, phase: 'retire' }, 0);
    await bench.deliver(({ execution: { status } }) => status.state === 'completed');
    expect((await bench.move()).execution.status.state).toBe('completed');
    const left = await store.load('cleanup', { move: id, run: 1, host: hostName('a') });
    expect(left?.items ?? []).toEqual([]);
    await sweepHost(bench.services, hostName('a'));
  });
});

describe('a drain', () => {
  test('has a deadline, on the host and on its batch', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    const deadline = new Date(receivedAt + 3_600_000).toISOString();
    const outcome = await send(bench, 'host.draining', { host: 'a', reason: 'old', deadline });
    if (outcome?.kind !== 'accepted' || outcome.batch === undefined) throw new Error('no batch');
    expect((await hostIn(bench)).intent.deadline).toBe(receivedAt + 3_600_000);
    expect(await bench.services.store.load('batch', { id: outcome.batch })).toMatchObject({
      deadline: receivedAt + 3_600_000,
      priority: 80,
    });
  });

  test.each(['host.failed', 'host.recovered', 'host.changed', 'host.removed'])(
    'and %s of an unknown host are refused',
    async (type) => {
      const bench = new MoveBench();
      const data = { host: 'nowhere', ...(type === 'host.changed' ? { zone: 'z' } : {}) };
      const why = type === 'host.removed' ? { reason: 'x' } : {};
      expect(await send(bench, type, { ...data, ...why })).toMatchObject(
        refusedWith('host-unknown', 'data.host'),
      );
    },
  );
});
