import { describe, expect, test } from '@jest/globals';
import { StepFailure } from '../../shared/domain/failure.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Residue } from '../../shared/ports/driver.ts';
import { loadHost, siteOf } from '../../shared/workflow/host-site.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, failure, moveOf, states } from '../support/sample-batch.ts';

const a = hostName('a');
const b = hostName('b');
const soon = { remainingMs: () => 60_000 };

describe('the sweep of rows', () => {
  test('sets a move going again whose message was lost', async () => {
    const bench = new MoveBench();
    await bench.begin();
    bench.bus.sent.splice(0);
    await sweepRows(bench.services, soon);
    expect(queues(bench)).toEqual(['dispatch']);
    bench.bus.sent.splice(0);
    bench.clock.pass(180_000);
    await sweepRows(bench.services, soon);
    const work = bench.bus.sent.filter(({ queue }) => queue !== 'dispatch');
    bench.bus.sent.splice(0, Infinity, ...work);
    await bench.deliver(isOver);
    expect(await bench.placement()).toMatchObject({ host: 'b', arbitration: { kind: 'serving' } });
  });

  test('sends a batch to be planned, or completed, whose message was lost', async () => {
    const bench = new MoveBench();
    const createdAt = bench.clock.now() - 1;
    const planning = batchOf({ state: 'planning', createdAt });
    await bench.services.store.insert('batch', planning);
    await sweepRows(bench.services, soon);
    expect(queues(bench)).toEqual(['plan', 'dispatch']);
    await bench.services.store.commit('batch', planning, { ...planning, state: 'running' });
    bench.bus.sent.splice(0);
    await sweepRows(bench.services, soon);
    expect(bench.bus.sent.map(({ text }) => text)).toContain(JSON.stringify({ v: 1, batch: planning.id }));
  });

  test('publishes what was posted to the API and lost with the stream, until somebody has taken it', async () => {
    const bench = new MoveBench();
    const { store } = bench.services;
    const posted: RequestRecord = {
      source: '/api-keys/ops',
      id: 'cordon-a',
      type: 'host.cordoned',
      bodyHash: 'h',
      outcome: { kind: 'pending' },
      posted: { to: '/hosts/a/cordon', body: '{"reason":"r"}' },
      receivedAt: bench.clock.now() - 1,
      version: 0,
    };
    await store.insert('request', posted);
    await sweepRows(bench.services, soon);
    await sweepRows(bench.services, soon);
    expect(bench.bus.published.splice(0).map(({ id }) => id)).toEqual(['cordon-a', 'cordon-a']);
    const waiting = await store.load('request', posted);
    if (waiting === undefined) throw new Error('it is gone');
    await store.commit('request', waiting, { ...waiting, outcome: { kind: 'accepted' } });
    await sweepRows(bench.services, soon);
    expect(bench.bus.published).toEqual([]);
  });

  test('tells the world of an epoch whose news was lost with the stream', async () => {
    const bench = await untold();
    await sweepRows(bench.services, soon);
    await sweepRows(bench.services, soon);
    expect(bench.bus.announced).toMatchObject([
      { type: 'endpoint.moved', subject: 'shop', data: { epoch: 2, host: 'a' } },
    ]);
  });

  test('tells an epoch again whose teller died before it was out', async () => {
    const bench = await untold();
    const { bus } = bench;
    const announce = bus.announce.bind(bus);
    bus.announce = () => Promise.reject(new Error('killed'));
    await expect(sweepRows(bench.services, soon)).rejects.toThrow('killed');
    bus.announce = announce;
    await sweepRows(bench.services, soon);
    expect(bus.announced).toMatchObject([{ data: { epoch: 2 } }]);
  });

  test('takes back the permits of moves that have ended, and no others', async () => {
    const bench = new MoveBench();
    await bench.addHost('a');
    const { store, permits } = bench.services;
    const [ended, working, unknown] = [
      moveOf(1, 'shop', states.rolledBack),
      moveOf(2, 'mail', states.running('copy')),
      moveOf(3, 'blog', states.waiting),
    ];
    await store.insert('move', ended);
    await store.insert('move', working);
    for (const { id } of [ended, working, unknown]) await permits.take(a, 'out', id, 5);
    await sweepRows(bench.services, soon);
    expect((await store.load('host', { name: a }))?.permitsOut).toEqual([working.id]);
  });

  test('takes back what a host holds for a move that goes elsewhere now', async () => {
    const bench = new MoveBench();
    for (const name of ['a', 'b', 'former']) await bench.addHost(name);
    const { store, permits } = bench.services;
    const former = hostName('former');
    const move = moveOf(1, 'shop', states.waiting);
    await store.insert('move', move);
    for (const name of [former, b]) {
      await permits.take(name, 'in', move.id, 5);
      await permits.reserve(name, move.id, 7);
    }
    await sweepRows(bench.services, soon);
    expect(await store.load('host', { name: former })).toMatchObject({ permitsIn: [], reserved: {} });
    expect(await store.load('host', { name: b })).toMatchObject({
      permitsIn: [move.id],
      reserved: { [move.id]: 7 },
    });
  });

  async function untold(): Promise<MoveBench> {
    const bench = new MoveBench();
    await bench.begin();
    bench.bus.sent.splice(0);
    const { store } = bench.services;
    const placement = await bench.placement();
    await store.commit('endpoint', placement, { ...placement, endpoint: endpointName('shop'), epoch: 2 });
    return bench;
  }
});

describe('the sweep of a host', () => {
  test('leaves alone what a move under way needs', async () => {
    const bench = await underWay();
    const before = [await residueOn(bench, a), await residueOn(bench, b)];
    for (const name of [a, b, a, b]) await sweepHost(bench.services, name);
    expect([await residueOn(bench, a), await residueOn(bench, b)]).toEqual(before);
    await bench.deliver(isOver);
    expect(await bench.placement()).toMatchObject({ host: 'b' });
  });

  test('removes what ended moves have left, and records first what no record knows', async () => {
    const bench = await underWay();
    await giveUp(bench);
    const { store } = bench.services;
    for (const host of [a, b]) {
      const { id } = await bench.move();
      const record = await store.load('cleanup', { move: id, run: 1, host });
      if (record !== undefined) await store.remove('cleanup', record);
    }
    const before = [await residueOn(bench, a), await residueOn(bench, b)];
    expect(before.flat().length).toBeGreaterThan(2);
    for (const name of [a, b]) await sweepHost(bench.services, name);
    expect([await residueOn(bench, a), await residueOn(bench, b)]).toEqual(before);
    for (let passes = 0; passes < 3; passes += 1)
      for (const name of [b, a]) await sweepHost(bench.services, name);
    expect([await residueOn(bench, a), await residueOn(bench, b)]).toEqual([[], []]);
  });

  test('is not held up by one thing that cannot be removed', async () => {
    const bench = await underWay();
    await giveUp(bench);
    const driver = await bench.services.driver('simulated');
    const [stubborn] = await residueOn(bench, b);
    const services = {
      ...bench.services,
      driver: () =>
        Promise.resolve({
          ...driver,
          removeResidue: async (...[site, residue]: Parameters<typeof driver.removeResidue>) => {
            if (residue.item.key === stubborn?.item.key) throw new StepFailure(failure, 'fail');
            await driver.removeResidue(site, residue);
          },
        }),
    };
    const sweep = async (): Promise<void> => {
      for (const name of [b, a]) await sweepHost(services, name).catch(() => undefined);
    };
    await sweep();
    await sweep();
    const left = [...(await residueOn(bench, a)), ...(await residueOn(bench, b))];
    expect(left.map(({ item }) => item.key)).toEqual([stubborn?.item.key]);
  });

  /** A move that has made all of its things, and waits to freeze. */
  async function underWay(): Promise<MoveBench> {
    const bench = new MoveBench();
    await bench.begin();
    await bench.deliver(
      ({ execution: { status } }) => status.state === 'running' && status.step === 'freeze',
    );
    return bench;
  }

  /** As if an undo had been left to the sweep. */
  async function giveUp(bench: MoveBench): Promise<void> {
    const move = await bench.move();
    const execution = { ...move.execution, status: states.rolledBack };
    await bench.services.store.commit('move', move, { ...move, execution });
  }

  async function residueOn(
    { services }: MoveBench,
    name: Parameters<typeof sweepHost>[1],
  ): Promise<readonly Residue[]> {
    const driver = await services.driver('simulated');
    const site = await siteOf(services, await loadHost(services, name));
    return await driver.findResidue(site, services.settings.installation);
  }
});

const isOver = ({ execution: { status } }: Move): boolean =>
  status.state !== 'running' || status.step === 'retire';

const queues = ({ bus }: MoveBench): string[] => bus.sent.map(({ queue }) => queue);
