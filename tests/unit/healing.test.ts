import { describe, expect, test } from '@jest/globals';
import { planMessage, workMessage } from '../../shared/contracts/messages.ts';
import { batchesOf, isLeftAlone, stageOf } from '../../shared/domain/healing.ts';
import { holdingOf } from '../../shared/domain/holding.ts';
import type { Host } from '../../shared/domain/host.ts';
import { batchId, endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { changeFleet } from '../../shared/workflow/fleet-record.ts';
import { healHost } from '../../shared/workflow/healing/heal-host.ts';
import { planBatch } from '../../shared/workflow/planning/plan-batch.ts';
import { openBatch } from '../../shared/workflow/requests/open-batch.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, failure, hostOf, moveOf, states } from '../support/sample-batch.ts';

const soon = { remainingMs: () => 60_000 };
const graceMs = 60_000;
const knobs = { healing: 'on', graceMs } as const;
const failed = (since: number) => ({ signals: { reported: { kind: 'failed', since, at: since } } }) as const;

describe('how far a failure has come', () => {
  test('it may recover by itself until the grace period is over', () => {
    const host = hostOf('a', failed(1_000));
    expect(stageOf(hostOf('a'), knobs, 9e12)).toEqual({ kind: 'none' });
    expect(stageOf(host, knobs, 1_000 + graceMs - 1)).toEqual({ kind: 'grace', until: 1_000 + graceMs });
    expect(stageOf(host, knobs, 1_000 + graceMs)).toEqual({ kind: 'failed', since: 1_000, heals: true });
    expect(stageOf(host, { ...knobs, healing: 'off' }, 9e12)).toMatchObject({ heals: false });
  });

  test('a strained or a retired host is not emptied', () => {
    const strained = { signals: { x: { kind: 'strained', since: 1, at: 1 } } } as const;
    expect(stageOf(hostOf('a', strained), knobs, 9e12)).toEqual({ kind: 'none' });
    const retired = { value: 'retired', sequence: 1, reason: 'sold' } as const;
    expect(stageOf(hostOf('a', { ...failed(1), intent: retired }), knobs, 9e12)).toEqual({ kind: 'none' });
  });

  test('a failure that began after the last healing is another one', () => {
    const healing = { since: 10, at: 100, batches: [batchOf().id] };
    expect(batchesOf({ healing }, 10)).toEqual(healing.batches);
    expect(batchesOf({ healing }, 100)).toEqual(healing.batches);
    expect(batchesOf({ healing }, 101)).toEqual([]);
  });

  test('what was tried, or is quarantined, is left alone', () => {
    const tried = moveOf(1, 'shop', states.rolledBack);
    expect(isLeftAlone(undefined, [])).toBe(false);
    expect(isLeftAlone(tried, [])).toBe(false);
    expect(isLeftAlone(tried, [tried.batch])).toBe(true);
    const reason = { ...failure, quarantined: true } as const;
    expect(isLeftAlone(moveOf(1, 'shop', { ...states.rolledBack, reason }), [])).toBe(true);
  });
});

describe('healing', () => {
  test('moves away what is on a host that has failed for good, once, however often it is looked after', async () => {
    const bench = await furnished();
    await fail(bench, 'a');
    bench.clock.pass(graceMs - 1);
    await sweepRows(bench.services, soon);
    expect(await batches(bench)).toEqual([]);
    bench.clock.pass(1);
    await Promise.all([sweepRows(bench.services, soon), healHost(bench.services, hostName('a'))]);
    const [batch, another] = await batches(bench);
    expect(another).toBeUndefined();
    expect(batch).toMatchObject({ priority: 90, reason: 'a has failed (reported)', state: 'planning' });
    await run(bench);
    bench.clock.pass(600_000);
    await sweepRows(bench.services, soon);
    expect(await batches(bench)).toHaveLength(1);
    for (const name of ['shop', 'mail']) expect((await placed(bench, name)).host).not.toBe('a');
    expect((await batches(bench))[0]?.state).toBe('completed');
    const told = async (what: string) =>
      bench.services.store.load('news', { id: `${batch?.id ?? ''}:${what}` });
    expect(await told('healing')).toMatchObject({
      kind: 'healing-begun',
      why: ['a: reported'],
      about: { host: 'a', endpoints: 2 },
    });
    expect(await told('completed')).toMatchObject({ kind: 'healing-ended' });
  });

  test('does nothing about a host that flaps', async () => {
    const bench = await furnished();
    for (let times = 0; times < 5; times += 1) {
      await fail(bench, 'a');
      bench.clock.pass(graceMs - 1);
      await sweepRows(bench.services, soon);
      await recover(bench, 'a');
      bench.clock.pass(1);
    }
    bench.clock.pass(graceMs);
    await sweepRows(bench.services, soon);
    expect(await batches(bench)).toEqual([]);
  });

  test('is done when it is switched on, neither missed nor repeated', async () => {
    const bench = await furnished();
    await turnHealing(bench, 'off');
    await fail(bench, 'a');
    bench.clock.pass(graceMs * 3);
    await sweepRows(bench.services, soon);
    expect(await batches(bench)).toEqual([]);
    await turnHealing(bench, 'on');
    await sweepRows(bench.services, soon);
    await turnHealing(bench, 'off');
    await turnHealing(bench, 'on');
    await sweepRows(bench.services, soon);
    expect(await batches(bench)).toHaveLength(1);
  });

  test('is taken up again by another sweep when the first died before its batch was there', async () => {
    const bench = await furnished();
    await fail(bench, 'a');
    bench.clock.pass(graceMs);
    const { services } = bench;
    const dying = {
      ...services,
      blobs: { ...services.blobs, put: () => Promise.reject(new Error('killed')) },
    };
    await expect(healHost(dying, hostName('a'))).rejects.toThrow('killed');
    expect((await hostIn(bench, 'a')).healing?.batches).toHaveLength(1);
    expect(await batches(bench)).toEqual([]);
    await healHost(services, hostName('a'));
    const [batch, another] = await batches(bench);
    expect(another).toBeUndefined();
    expect((await hostIn(bench, 'a')).healing?.batches).toEqual([batch?.id]);
  });

  test('waits for the last one when the host recovers and fails again', async () => {
    const bench = await furnished();
    await fail(bench, 'a');
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('a'));
    await recover(bench, 'a');
    bench.clock.pass(1_000);
    await fail(bench, 'a');
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('a'));
    expect(await batches(bench)).toHaveLength(1);
  });

  test('moves what comes to the host afterwards, and leaves alone what it has tried', async () => {
    const bench = await furnished();
    await fail(bench, 'a');
    bench.network.behave('a', { down: true });
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('a'));
    await giveUpAll(bench);
    await healHost(bench.services, hostName('a'));
    expect(await batches(bench)).toHaveLength(1);
    await addEndpoint(bench, 'late', 'a');
    await healHost(bench.services, hostName('a'));
    await healHost(bench.services, hostName('a'));
    const all = await batches(bench);
    expect(all).toHaveLength(2);
    const last = all.find(({ state }) => state === 'planning');
    expect(last === undefined ? undefined : await bench.services.blobs.get(last.selection)).toEqual({
      kind: 'endpoints',
      endpoints: ['late'],
    });
  });

  test('does not move what is quarantined', async () => {
    const bench = await furnished();
    const quarantined = { ...failure, quarantined: true } as const;
    const move = moveOf(7, 'shop', { ...states.rolledBack, reason: quarantined });
    await bench.services.store.insert('move', { ...move, batch: batchId('bt_00000000000000000009') });
    const before = await placed(bench, 'shop');
    await bench.services.store.commit('endpoint', before, { ...before, lastMove: move.id });
    await fail(bench, 'a');
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('a'));
    const [batch] = await batches(bench);
    expect(batch === undefined ? undefined : await bench.services.blobs.get(batch.selection)).toMatchObject({
      endpoints: ['mail'],
    });
  });
});

describe('work that was planned before a host failed', () => {
  test('leaves it before all others', async () => {
    const bench = await furnished();
    await request(bench, ['shop'], undefined, 20);
    await plan(bench);
    await fail(bench, 'a');
    await healHost(bench.services, hostName('a'));
    expect(await moves(bench)).toMatchObject([{ priority: 20 }]);
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('a'));
    expect(await moves(bench)).toMatchObject([{ endpoint: 'shop', priority: 90 }]);
    // What has a move already is left to it.
    const [batch] = (await batches(bench)).filter(({ priority }) => priority === 90);
    expect(batch === undefined ? undefined : await bench.services.blobs.get(batch.selection)).toMatchObject({
      endpoints: ['mail'],
    });
  });

  test('onto it does not begin, and goes elsewhere once the grace period is over', async () => {
    const bench = await furnished();
    await request(bench, ['shop']);
    await plan(bench);
    const [planned] = await moves(bench);
    const target = planned?.target ?? hostName('b');
    await fail(bench, target);
    await dispatchMoves(bench.services, [], soon);
    expect(await moves(bench)).toMatchObject([{ target, execution: { status: { state: 'waiting' } } }]);
    bench.clock.pass(graceMs);
    await healHost(bench.services, target);
    const [moved] = await moves(bench);
    expect(moved).toMatchObject({ execution: { status: { state: 'waiting' } } });
    expect(moved?.target).not.toBe(target);
    expect((await hostIn(bench, target)).reserved).toEqual({});
    expect(Object.keys((await hostIn(bench, moved?.target ?? '')).reserved)).toEqual([moved?.id]);
    await run(bench);
    expect((await placed(bench, 'shop')).host).toBe(moved?.target);
  });

  test('onto it goes elsewhere also when it has begun, as long as nothing of it is there and no worker holds it', async () => {
    const bench = await furnished();
    await request(bench, ['shop']);
    await plan(bench);
    await dispatchMoves(bench.services, [], soon);
    const [begun] = await moves(bench);
    const former = begun?.target ?? hostName('b');
    expect(begun).toMatchObject({ execution: { status: { state: 'running', step: 'preflight' } } });
    await fail(bench, former);
    bench.clock.pass(graceMs);
    const { store } = bench.services;
    if (begun?.execution.status.state !== 'running') throw new Error('no move');
    const lease = { owner: 'w', token: begun.execution.token + 1, until: bench.clock.now() + 1_000 };
    const status = { ...begun.execution.status, lease };
    await store.commit('move', begun, {
      ...begun,
      execution: { ...begun.execution, token: lease.token, status },
    });
    await healHost(bench.services, former);
    expect(await moves(bench)).toMatchObject([
      { target: former, execution: { status: { state: 'running' } } },
    ]);
    bench.clock.pass(1_000);
    await healHost(bench.services, former);
    const [turned] = await moves(bench);
    expect(turned).toMatchObject({
      batch: begun.batch,
      execution: { status: { state: 'waiting', waiting: { code: 'permit' } }, last: { fact: 're-planned' } },
    });
    expect(turned?.target).not.toBe(former);
    expect(await hostIn(bench, former)).toMatchObject({ reserved: {}, permitsIn: [] });
    expect((await hostIn(bench, 'a')).permitsOut).toEqual([]);
    await run(bench);
    expect((await placed(bench, 'shop')).host).toBe(turned?.target);
  });

  test('onto it stays as it is when another release has begun it by a workflow of its own', async () => {
    const bench = await furnished();
    await request(bench, ['shop']);
    await plan(bench);
    const [planned] = await moves(bench);
    if (planned === undefined) throw new Error('no move');
    const execution = { ...planned.execution, workflow: 'move-endpoint/2' };
    await bench.services.store.commit('move', planned, { ...planned, execution });
    const before = await moves(bench);
    await fail(bench, planned.target);
    bench.clock.pass(graceMs);
    await healHost(bench.services, planned.target);
    expect(await moves(bench)).toEqual(before);
  });

  test('onto it ends with the reason where its request names that host', async () => {
    const bench = await furnished();
    await request(bench, ['shop', 'mail'], 'b');
    await plan(bench);
    await fail(bench, 'b');
    bench.clock.pass(graceMs);
    await healHost(bench.services, hostName('b'));
    await run(bench);
    for (const move of await moves(bench)) {
      expect(move.execution.status).toMatchObject({
        state: 'rolled-back',
        reason: { code: 'target-failed', host: 'b' },
      });
    }
    expect((await batches(bench))[0]?.state).toBe('completed');
    expect(await placed(bench, 'shop')).toMatchObject({ host: 'a', arbitration: { kind: 'serving' } });
    expect((await placed(bench, 'shop')).claim).toBeUndefined();
  });
});

describe('what a failed host holds', () => {
  const placement: Placement = {
    endpoint: endpointName('shop'),
    driver: 'postgres',
    host: hostName('a'),
    database: 'shop',
    epoch: 1,
    arbitration: { kind: 'serving' },
    claims: 1,
    announcedEpoch: 1,
    sizeBytes: 5,
    labels: {},
    registeredAt: 0,
    version: 1,
  };
  const host = hostOf('a', failed(1_000));
  const away = { ...failure, code: 'host-unreachable', sentence: 'a does not answer', host: 'a' };

  test('is told endpoint by endpoint, with what is needed', () => {
    const claim = { move: moveId('mv_0000000000000001'), firstToken: 1 };
    const told = (move: Move | undefined, claimed = false) =>
      holdingOf(host, { ...placement, ...(claimed ? { claim } : {}) }, move, 'healing is off');
    expect(told(undefined)).toMatchObject({
      state: 'unmoved',
      sentence: 'healing is off',
      needs: ['dray move shop'],
    });
    expect(told(moveOf(1, 'shop', states.running('copy')), true)).toMatchObject({
      state: 'leaving',
      needs: [],
    });
    expect(told(moveOf(1, 'shop', states.hindered('copy')), true)).toMatchObject({ state: 'unreadable' });
    const ended = told(moveOf(1, 'shop', { ...states.rolledBack, reason: away }));
    expect(ended).toMatchObject({ state: 'unreadable', sentence: 'a does not answer; its move has ended' });
    expect(ended.needs.join(' ')).toMatch(
      /bring a back.*dray move shop.*backup.*database shop|bring a back.*restore database shop/,
    );
    expect(told(moveOf(1, 'shop', states.rolledBack))).toMatchObject({ state: 'kept' });
    // The other side was down, not this host.
    const other = { ...away, host: 'b', sentence: 'b does not answer' };
    expect(told(moveOf(1, 'shop', { ...states.rolledBack, reason: other }))).toMatchObject({ state: 'kept' });
  });
});

/** Hosts `a`, `b` and `c`, and `shop` and `mail` on `a`. */
async function furnished(): Promise<MoveBench> {
  const bench = new MoveBench();
  for (const name of ['a', 'b', 'c']) await bench.addHost(name);
  for (const name of ['shop', 'mail']) await addEndpoint(bench, name, 'a');
  return bench;
}

async function addEndpoint(bench: MoveBench, name: string, host: string): Promise<void> {
  bench.network.addDatabase(host, { name, rows: 3 }, bench.clock.now());
  await bench.services.store.insert('endpoint', {
    endpoint: endpointName(name),
    driver: 'simulated',
    host: hostName(host),
    database: name,
    epoch: 1,
    arbitration: { kind: 'serving' },
    claims: 0,
    announcedEpoch: 1,
    sizeBytes: 100,
    labels: {},
    registeredAt: bench.clock.now(),
    version: 1,
  });
}

async function hostIn({ services: { store } }: MoveBench, name: string): Promise<Host> {
  const host = await store.load('host', { name: hostName(name) });
  if (host === undefined) throw new Error(`there is no ${name}`);
  return host;
}

async function setSignals(bench: MoveBench, name: string, signals: Host['signals']): Promise<void> {
  const host = await hostIn(bench, name);
  await bench.services.store.commit('host', host, { ...host, signals });
}
const fail = async (bench: MoveBench, name: string) =>
  setSignals(bench, name, failed(bench.clock.now()).signals);
const recover = async (bench: MoveBench, name: string) => setSignals(bench, name, {});

async function placed({ services: { store } }: MoveBench, name: string): Promise<Placement> {
  const placement = await store.load('endpoint', { endpoint: endpointName(name) });
  if (placement === undefined) throw new Error(`there is no ${name}`);
  return placement;
}

async function batches({ services: { store, views } }: MoveBench) {
  const { items } = await views.batches();
  const found = await store.loadMany(
    'batch',
    items.map((id) => ({ id })),
  );
  return found.flatMap((batch) => batch ?? []);
}

async function moves(bench: MoveBench): Promise<Move[]> {
  const { store, views } = bench.services;
  const found: Move[] = [];
  for (const { id } of await batches(bench)) {
    const { items } = await views.movesOf(id);
    found.push(...(await store.loadMany('move', items)).flatMap((move) => move ?? []));
  }
  return found;
}

async function turnHealing({ services }: MoveBench, healing: 'on' | 'off'): Promise<void> {
  await changeFleet(services, (fleet) => ({ ...fleet, knobs: { ...fleet.knobs, healing } }));
}

async function request(
  { services }: MoveBench,
  endpoints: readonly string[],
  target?: string,
  priority = 50,
): Promise<void> {
  const { policy } = batchOf();
  const selection = {
    kind: 'endpoints',
    endpoints: endpoints.map(endpointName),
    ...(target === undefined ? {} : { target: hostName(target) }),
  } as const;
  await openBatch(services, { source: 'ops', id: '1' }, { reason: 'test', selection, policy, priority });
}

async function plan(bench: MoveBench): Promise<void> {
  for (const { id, state } of await batches(bench))
    if (state === 'planning') await planBatch(bench.services, { batch: id }, soon);
}

/** Everything that is to be done, until nothing is left or `turns` messages have been handled. */
async function run(bench: MoveBench, turns = 300): Promise<void> {
  const { services, bus, clock } = bench;
  for (let turn = 0; turn < turns; turn += 1) {
    bus.sent.sort((one, other) => one.at - other.at);
    const next = bus.sent.shift();
    if (next === undefined) break;
    clock.pass(Math.max(0, next.at - clock.now()));
    const message: unknown = JSON.parse(next.text);
    if (next.queue === 'plan') await planBatch(services, planMessage.parse(message), soon);
    else if (next.queue === 'dispatch') await dispatchMoves(services, [], soon);
    else {
      const started = clock.now();
      await workOnMove(services, workMessage.parse(message), {
        owner: `worker-${String(turn)}`,
        remainingMs: () => started + 60_000 - clock.now(),
      });
    }
  }
  for (const { id } of await batches(bench)) await dispatchMoves(services, [{ batch: id }], soon);
}

/** All moves end without having arrived. */
async function giveUpAll(bench: MoveBench): Promise<void> {
  await plan(bench);
  const { store } = bench.services;
  for (const move of await moves(bench)) {
    await store.commit('move', move, {
      ...move,
      execution: { ...move.execution, status: { ...states.rolledBack, endedAt: bench.clock.now() } },
    });
    const { claim: _, ...free } = await placed(bench, move.endpoint);
    await store.commit('endpoint', free, free);
  }
  for (const { id } of await batches(bench)) await dispatchMoves(bench.services, [{ batch: id }], soon);
}
