import { beforeEach, describe, expect, test } from '@jest/globals';
import { TokenSuperseded } from '../../shared/domain/failure.ts';
import { batchId, endpointName, hostName } from '../../shared/domain/ids.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { Announcement } from '../../shared/ports/bus.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { untraced } from '../../shared/ports/tracer.ts';
import type { Services } from '../../shared/workflow/services.ts';
import { createViews } from '../../shared/aws/views.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { arbitrate, arbitrateAsSeen, mustArbitrate } from '../../shared/workflow/arbiter.ts';
import { dispatchMoves, type DispatchServices } from '../../shared/workflow/dispatch-moves.ts';
import { cleanupLedger } from '../../shared/workflow/move-endpoint/cleanup-ledger.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { ManualClock } from '../support/engine-bench.ts';
import { MemoryBlobs } from '../support/memory-blobs.ts';
import { MemoryBus } from '../support/memory-bus.ts';
import { createMemoryPermits } from '../support/memory-permits.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { batchOf, hostOf, moveOf, states } from '../support/sample-batch.ts';
import { scalingBounds } from '../support/scaling-bounds.ts';

/** Stories of workers that were held up, and went on after others had gone on without them. */
describe('a worker that was overtaken', () => {
  let services: DispatchServices;
  let bus: MemoryBus;
  const forever = { remainingMs: () => 60_000 };
  const [a, b] = [hostName('a'), hostName('b')];

  beforeEach(async () => {
    const table = new MemoryTable();
    const clock = new ManualClock();
    bus = new MemoryBus(clock);
    services = {
      store: createMemoryStore(table, { chance: machineChance }),
      permits: createMemoryPermits(table),
      views: createViews({ query: table.query, clock }),
      blobs: new MemoryBlobs(),
      bus,
      clock,
      calendar: machineCalendar,
      chance: machineChance,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      meter: { note: () => undefined },
      tracer: untraced,
      settings: {
        installation: 'test',
        leaseMs: {},
        slowStoreMs: 1,
        patienceMs: 1,
        freshMs: 1,
        hostNetworks: anyNetwork,
        scaling: scalingBounds,
      },
    };
    await services.store.insert('host', hostOf('a'));
    await services.store.insert('host', hostOf('b', { movesIn: 1 }));
  });

  const placementOf = (name: string): Placement => ({
    endpoint: endpointName(name),
    driver: 'postgres',
    host: a,
    database: name,
    epoch: 1,
    arbitration: { kind: 'serving' },
    claims: 0,
    announcedEpoch: 1,
    sizeBytes: 1,
    labels: {},
    registeredAt: 0,
    version: 1,
  });

  test('cannot claim an endpoint for a move that has come and gone since it looked', async () => {
    const seen = placementOf('shop');
    const { id: move } = moveOf(1, 'shop', states.completed);
    await services.store.insert('endpoint', seen);
    await arbitrate(services, seen.endpoint, { kind: 'claim', move });
    await arbitrate(services, seen.endpoint, { kind: 'release', move });
    expect(await arbitrateAsSeen(services, seen, { kind: 'claim', move })).toEqual({ kind: 'changed' });
    expect((await services.store.load('endpoint', seen))?.claim).toBeUndefined();
  });

  test('believes what it has seen of an endpoint only where its write proves it', async () => {
    const { endpoint } = placementOf('shop');
    const { id: move } = moveOf(1, 'shop', states.completed);
    await services.store.insert('endpoint', placementOf('shop'));
    const seen = await mustArbitrate(services, endpoint, { kind: 'claim', move });
    await mustArbitrate(services, endpoint, { kind: 'release', move });
    // By the row that it has seen there is nothing to write.
    const { version } = await mustArbitrate(services, endpoint, { kind: 'claim', move }, seen);
    expect(version).toBeGreaterThan(seen.version);
    expect((await services.store.load('endpoint', seen))?.claim?.move).toBe(move);
  });

  test('records nothing any more where a newer one has', async () => {
    const move = moveOf(1, 'shop', states.running('provision'));
    const item = { key: 'slot:x', kind: 'slot', name: 'x', systemIdentifier: '1' };
    await cleanupLedger(services.store, move, 2).record(a, [item]);
    const late = cleanupLedger(services.store, move, 1);
    await expect(late.record(a, [{ ...item, oid: 7 }])).rejects.toThrow(TokenSuperseded);
    await expect(late.forget(a, ['slot:x'])).rejects.toThrow(TokenSuperseded);
    expect(await cleanupLedger(services.store, move, 3).list(a)).toEqual([item]);
  });

  test('takes no permit back from a move that another dispatcher lets go', async () => {
    const move = moveOf(1, 'one', states.waiting);
    await services.store.insert('move', move);
    const { permits } = services;
    // Between its two permits another dispatcher comes, finds the second free, and lets the move go.
    const held: Services['permits'] = {
      ...permits,
      take: async (host, side, id, limit) => {
        if (side === 'out') return permits.take(host, side, id, limit);
        await dispatchMoves(services, [{}], forever);
        return false;
      },
    };
    await dispatchMoves({ ...services, permits: held }, [{}], forever);
    expect((await services.store.load('move', move))?.execution.status.state).toBe('running');
    expect((await services.store.load('host', { name: a }))?.permitsOut).toEqual([move.id]);
    expect((await services.store.load('host', { name: b }))?.permitsIn).toEqual([move.id]);
  });

  test('leaves no space set aside for a move that has ended', async () => {
    const [ended, waiting] = [moveOf(1, 'one', states.completed), moveOf(2, 'two', states.waiting)];
    for (const move of [ended, waiting]) {
      await services.store.insert('move', move);
      await services.permits.reserve(b, move.id, 500);
    }
    await sweepRows(services, forever);
    expect((await services.store.load('host', { name: b }))?.reserved).toEqual({ [waiting.id]: 500 });
  });

  test('does not take the end of a batch with it untold', async () => {
    const resolved = await services.blobs.put([]);
    const batch = batchOf({ resolved, total: 0 });
    await services.store.insert('batch', batch);
    const id = batchId(batch.id);
    const told: Announcement[] = [];
    let isDown = true;
    const flaky: Services['bus'] = {
      sendWork: (message, afterMs) => bus.sendWork(message, afterMs),
      sendPlan: (message) => bus.sendPlan(message),
      sendDispatch: (message) => bus.sendDispatch(message),
      sendHostSweep: (host) => bus.sendHostSweep(host),
      announce: (announcements) => {
        if (isDown) return Promise.reject(new StoreUnavailable('no answer'));
        told.push(...announcements);
        return Promise.resolve();
      },
      notify: (notifications) => bus.notify(notifications),
      publish: (requests) => bus.publish(requests),
    };
    const over = { ...services, bus: flaky };
    await expect(dispatchMoves(over, [{ batch: id }], forever)).rejects.toThrow(StoreUnavailable);
    expect((await services.store.load('batch', { id }))?.state).toBe('running');
    isDown = false;
    await dispatchMoves(over, [{ batch: id }], forever);
    expect(told.map((each) => each.id)).toEqual([`${id}:completed`]);
    expect((await services.store.load('batch', { id }))?.state).toBe('completed');
  });
});
