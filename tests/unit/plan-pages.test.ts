import { describe, expect, test } from '@jest/globals';
import { createViews } from '../../shared/aws/views.ts';
import type { Selection } from '../../shared/domain/batch.ts';
import { batchIdFrom, endpointName, hostName, type HostName } from '../../shared/domain/ids.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { Store } from '../../shared/ports/store.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { moveIdOf, planBatch, type PlanServices } from '../../shared/workflow/planning/plan-batch.ts';
import { ManualClock } from '../support/engine-bench.ts';
import { MemoryBlobs } from '../support/memory-blobs.ts';
import { MemoryBus } from '../support/memory-bus.ts';
import { createMemoryPermits } from '../support/memory-permits.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { Mortal } from '../support/mortal.ts';
import { batchOf, hostOf } from '../support/sample-batch.ts';

const id = batchIdFrom(machineChance.digest('pages'));
const names = Array.from({ length: 30 }, (_, nth) => endpointName(`e${String(nth).padStart(2, '0')}`));

/** `full` with thirty endpoints of ten bytes, and hosts of which each has room for some of them. */
async function furnished(selection: Selection, others: Readonly<Record<string, Partial<Host>>> = roomy) {
  const table = new MemoryTable();
  const clock = new ManualClock();
  const chance = machineChance;
  const store = createMemoryStore(table, { chance });
  const blobs = new MemoryBlobs();
  const services: PlanServices = {
    store,
    blobs,
    bus: new MemoryBus(clock),
    permits: createMemoryPermits(table),
    views: createViews({ query: table.query, clock }),
    clock,
    chance,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    tracer: untraced,
  };
  await store.insert('host', hostOf('full'));
  for (const [name, change] of Object.entries(others)) await store.insert('host', hostOf(name, change));
  for (const endpoint of names) await store.insert('endpoint', placementOf(endpoint));
  await store.insert('batch', batchOf({ id, state: 'planning', selection: await blobs.put(selection) }));
  const batch = async () => {
    const found = await store.load('batch', { id });
    if (found === undefined) throw new Error('no batch');
    return found;
  };
  const moves = async () => {
    const found = await store.loadMany(
      'move',
      names.map((name) => ({ id: moveIdOf(services, batchOf({ id }), name) })),
    );
    return found.flatMap((move) => move ?? []);
  };
  const reservedOn = async (name: HostName) =>
    Object.entries((await store.load('host', { name }))?.reserved ?? {}).sort();
  return { table, services, store, clock, batch, moves, reservedOn };
}

const roomy = { a: { capacityBytes: 200 }, b: { capacityBytes: 150 }, c: { capacityBytes: 100 } };
const drain: Selection = { kind: 'host', host: hostName('full') };

const placementOf = (endpoint: Placement['endpoint']): Placement => ({
  endpoint,
  driver: 'postgres',
  host: hostName('full'),
  database: endpoint,
  epoch: 1,
  arbitration: { kind: 'serving' },
  claims: 0,
  announcedEpoch: 1,
  sizeBytes: 10,
  labels: {},
  registeredAt: 0,
  version: 1,
});

/** Does something after each page. */
class AfterPage extends MemoryBus {
  readonly #then: () => Promise<void>;

  constructor(clock: ManualClock, then: () => Promise<void>) {
    super(clock);
    this.#then = then;
  }

  override async sendDispatch(...message: Parameters<MemoryBus['sendDispatch']>): Promise<void> {
    await super.sendDispatch(...message);
    await this.#then();
  }
}

async function closed(store: Store, name: HostName): Promise<void> {
  const host = await store.load('host', { name });
  if (host === undefined) throw new Error('no host');
  await store.commit('host', host, {
    ...host,
    intent: { value: 'cordoned', sequence: 1, reason: 'test' },
  });
}

const longEnough = { remainingMs: () => 60_000 };
/** Ends the invocation after so many pages. */
const pages = (most: number) => {
  let asked = 0;
  return { remainingMs: () => (asked++ < most ? 60_000 : 0) };
};

describe('planning in pages', () => {
  test('makes a move of every endpoint, sets room aside for each, and tells of those that have none', async () => {
    const { services, batch, moves, reservedOn } = await furnished(drain, {
      a: { capacityBytes: 150 },
      b: { capacityBytes: 100 },
    });
    await planBatch(services, { batch: id }, longEnough);
    expect(await batch()).toMatchObject({ state: 'running', total: 30, planned: 30 });
    const made = await moves();
    const on = (name: string) => made.filter(({ target }) => target === name);
    expect([on('a').length, on('b').length, on('full').length]).toEqual([13, 9, 8]);
    for (const move of on('full')) {
      expect(move.execution.status).toMatchObject({
        state: 'rolled-back',
        reason: {
          code: 'no-target',
          sentence: `no host may take ${move.endpoint}: 2 hosts have too little room`,
          cure: 'make room on a host, or add one',
        },
      });
    }
    for (const name of ['a', 'b']) {
      const wanted = on(name)
        .map((move): [string, number] => [move.id, 10])
        .sort();
      expect(await reservedOn(hostName(name))).toEqual(wanted);
    }
  });

  test('says once what is to be done, however often its planner is killed, before and after each of its calls', async () => {
    const whole = await furnished(drain);
    const counting = new Mortal();
    await planBatch(counting.port(whole.services), { batch: id }, longEnough);
    const wanted = (await whole.moves()).map(({ endpoint, target }) => [endpoint, target]);
    expect(wanted).toHaveLength(30);
    // At every third of its calls, and one later after its effect: each kind of call is among them, in each page.
    for (const side of ['before', 'after'] as const) {
      for (let at = side === 'before' ? 1 : 2; at <= counting.calls; at += 3) {
        const { services, batch, moves, reservedOn } = await furnished(drain);
        const mortal = new Mortal({ at, side });
        await planBatch(mortal.port(services), { batch: id }, longEnough).catch(() => undefined);
        expect([at, side, mortal.isDead]).toEqual([at, side, true]);
        await planBatch(services, { batch: id }, longEnough);
        expect((await batch()).state).toBe('running');
        const made = await moves();
        expect(made.map(({ endpoint, target }) => [endpoint, target])).toEqual(wanted);
        for (const name of ['a', 'b', 'c'].map(hostName)) {
          const here = made
            .filter(({ target }) => target === name)
            .map((move): [string, number] => [move.id, 10]);
          expect(await reservedOn(name)).toEqual(here.sort());
        }
      }
    }
  });

  test('looks at a target again when a second has passed: in the midst of its pages it sees that one was closed', async () => {
    for (const [passes, isSeen] of [
      [999, false],
      [1_000, true],
    ] as const) {
      const { services, store, clock, moves } = await furnished(drain);
      const looks: string[] = [];
      const load: typeof store.load = (kind, key) => {
        if (kind === 'host' && 'name' in key) looks.push(key.name);
        return store.load(kind, key);
      };
      let before: Awaited<ReturnType<typeof moves>> | undefined;
      const bus = new AfterPage(clock, async () => {
        if (before !== undefined) return;
        before = await moves();
        looks.length = 0;
        for (const name of ['a', 'b'].map(hostName)) await closed(store, name);
        clock.pass(passes);
      });
      await planBatch({ ...services, bus, store: { ...store, load } }, { batch: id }, longEnough);
      const late = (await moves()).filter((move) => before?.every((each) => each.id !== move.id) === true);
      expect(late).toHaveLength(5);
      expect(looks.length > 0).toBe(isSeen);
      expect(late.some(({ target }) => target === 'a' || target === 'b')).toBe(!isSeen);
    }
  });

  test('chooses anew, by the same rules, where a target has been closed since the plan', async () => {
    const { services, store, batch, moves } = await furnished(drain);
    await planBatch(services, { batch: id }, pages(1));
    expect(await batch()).toMatchObject({ state: 'planning', planned: 25 });
    const before = await moves();
    await closed(store, hostName('a'));
    await planBatch(services, { batch: id }, longEnough);
    const made = await moves();
    expect(made.filter(({ id: move }) => before.some((each) => each.id === move))).toEqual(before);
    const later = made.filter(({ id: move }) => before.every((each) => each.id !== move));
    expect(later).toHaveLength(5);
    for (const { target } of later) expect(target).not.toBe('a');
    const on = (name: string) => made.filter(({ target }) => target === name).length * 10;
    expect(on('b')).toBeLessThanOrEqual(135);
    expect(on('c')).toBeLessThanOrEqual(90);
  });

  test('fills no host on which another has set room aside since the plan', async () => {
    const { services, moves } = await furnished(drain);
    await planBatch(services, { batch: id }, pages(1));
    await services.permits.reserve(
      hostName('a'),
      (await moves())[0]?.id ?? moveIdOf(services, batchOf(), names[0] ?? endpointName('x')),
      10,
    );
    const other = moveIdOf(services, batchOf(), endpointName('other'));
    await services.permits.reserve(hostName('a'), other, 180);
    await planBatch(services, { batch: id }, longEnough);
    const later = (await moves()).slice(25);
    expect(later).toHaveLength(5);
    for (const { target } of later) expect(target).not.toBe('a');
  });

  test('leaves alone what has left by another move since a drain was planned', async () => {
    const { services, store, moves } = await furnished(drain);
    await planBatch(services, { batch: id }, pages(1));
    const last = names.at(-1) ?? endpointName('x');
    const placement = await store.load('endpoint', { endpoint: last });
    if (placement === undefined) throw new Error('no endpoint');
    await store.commit('endpoint', placement, { ...placement, host: hostName('c'), epoch: 2 });
    await planBatch(services, { batch: id }, longEnough);
    expect((await moves()).at(-1)).toMatchObject({
      endpoint: last,
      target: 'c',
      execution: { status: { state: 'rolled-back', reason: { code: 'endpoint-left' } } },
    });
  });

  test('goes on with a batch that an earlier release has listed and not planned', async () => {
    const { services, store, batch, moves } = await furnished(drain);
    const found = await batch();
    const resolved = await services.blobs.put(names.toReversed());
    await store.commit('batch', found, { ...found, resolved, total: 30 });
    await planBatch(services, { batch: id }, longEnough);
    expect(await batch()).toMatchObject({ state: 'running', planned: 30, resolved });
    expect(await moves()).toHaveLength(30);
  });

  test('says of a host that cannot be relieved how far it comes', async () => {
    const { services, store, batch, moves } = await furnished(
      { kind: 'relieve', host: hostName('full'), under: 0.3 },
      { a: { capacityBytes: 100 } },
    );
    const full = await store.load('host', { name: hostName('full') });
    if (full === undefined) throw new Error('no host');
    await store.commit('host', full, { ...full, capacityBytes: 400 });
    await planBatch(services, { batch: id }, longEnough);
    expect((await batch()).unmet).toMatchObject({
      code: 'not-relieved',
      sentence: 'full stays filled to 70 %, and was to come under 30 %: what else is on it has nowhere to go',
    });
    expect((await moves()).filter(({ target }) => target === 'a')).toHaveLength(2);
  });
});
