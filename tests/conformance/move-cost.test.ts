import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { measureSteps } from '../../bench/cost-engine.ts';
import { dollars, engineAlone, twelveSteps } from '../../bench/cost-model.ts';
import { codecs } from '../../shared/aws/layout.ts';
import { toItem } from '../../shared/aws/wire.ts';
import { decide } from '../../shared/domain/decide.ts';
import type { Fact } from '../../shared/domain/fact.ts';
import { batchId, endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';
import type { Store } from '../../shared/ports/store.ts';
import { openMeteredTable, tableName, type MeteredTable } from '../support/metered-table.ts';
import { MoveBench } from '../support/move-bench.ts';

const start = Date.UTC(2026, 10, 21, 8, 30, 10);
const day = 24 * 3_600_000;

/** An uneventful move of three seconds, with everything in it that a real one has. */
const planned: Move = {
  id: moveId('mv_0123456789abcdef'),
  batch: batchId('bt_0123456789abcdef0123'),
  endpoint: endpointName('tenant-00042'),
  driver: 'simulated',
  database: 'tenant-00042',
  source: hostName('host-a'),
  target: hostName('host-b'),
  why: 'the request names it',
  epoch: 3,
  policy: {
    roles: 'require',
    pauseBudgetMs: 1_000,
    lagLimitBytes: 1_048_576,
    retentionMs: day,
    offline: 'refuse',
  },
  priority: 5,
  createdAt: start,
  version: 1,
  execution: {
    workflow: 'move-endpoint',
    run: 1,
    token: 0,
    status: {
      state: 'waiting',
      waiting: { code: 'permit', on: 'a permit on host-a and host-b', since: start },
      dueAt: start,
    },
    results: {},
    timings: {},
    last: { fact: 'planned', at: start, by: 'plan-batch' },
  },
};

interface Life {
  readonly commits: number;
  readonly largest: number;
}

/** Takes a move through its life, a commit for each fact. */
async function live(store: Store): Promise<Life> {
  let move = planned;
  let now = start + 1_000;
  let commits = 0;
  let largest = 0;
  await store.insert('move', move);

  const happen = async (fact: Fact): Promise<void> => {
    now += 150;
    const decision = decide(
      moveEndpointShape,
      move.execution,
      fact,
      now,
      'a3f1c7d2-0000-4000-8000-0000000000ab',
    );
    if (decision.kind !== 'next') throw new RangeError(`${fact.kind} was ignored: ${decision.why}`);
    const answer = await store.commit('move', move, { ...move, execution: decision.execution });
    if (answer.kind !== 'committed') throw new RangeError('a commit was refused');
    move = answer.record;
    commits += 1;
    largest = Math.max(largest, sizeOf(move));
  };
  const claim = async (leaseMs: number): Promise<void> => {
    await happen({ kind: 'claimed', owner: 'a3f1c7d2-0000-4000-8000-0000000000ab', leaseMs });
  };
  const finish = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      await happen({ kind: 'step-finished', token: move.execution.token, ms: 130 });
    }
  };

  await happen({ kind: 'admitted' });
  await claim(45_000);
  await finish(6);
  await claim(5_000);
  await finish(4);
  await happen({ kind: 'progressed', token: move.execution.token, forwardOnly: true });
  await finish(1);
  await claim(45_000);
  await happen({
    kind: 'step-waited',
    token: move.execution.token,
    code: 'retention',
    on: 'the end of the retention',
    afterMs: day,
    ms: 1,
  });
  now += day;
  await claim(45_000);
  await finish(1);
  return { commits, largest };
}

/** Bytes of a row by DynamoDB's own rule: names and values, a few for structure. */
function sizeOf(move: Move): number {
  return Object.entries(toItem({ ...codecs.move.encode(move), commitId: 'x'.repeat(36) })).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOfValue(value),
    0,
  );
}

function sizeOfValue(value: ReturnType<typeof toItem>[string]): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.M !== undefined) {
    return Object.entries(value.M).reduce(
      (sum, [name, each]) => sum + 1 + Buffer.byteLength(name) + sizeOfValue(each),
      3,
    );
  }
  return 1;
}

let metered: MeteredTable;
beforeAll(async () => {
  metered = await openMeteredTable();
});
afterAll(async () => {
  await metered.close();
});

interface Units {
  readonly table: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly byIndex: Readonly<Record<string, number>>;
}

/** Write units of what happens meanwhile. */
async function unitsOf(what: () => Promise<unknown>): Promise<Units> {
  const read = () => structuredClone(metered.meter.use()[tableName]);
  const before = read();
  await what();
  const after = read();
  const less = (now: Readonly<Record<string, number>> = {}, was: Readonly<Record<string, number>> = {}) =>
    Object.fromEntries(
      Object.entries(now).flatMap(([name, units]) =>
        units === was[name] ? [] : [[name, units - (was[name] ?? 0)]],
      ),
    );
  return {
    table: (after?.writeUnits ?? 0) - (before?.writeUnits ?? 0),
    byKind: less(after?.unitsOf, before?.unitsOf),
    byIndex: less(after?.indexUnits, before?.indexUnits),
  };
}

test('a move costs what docs/table.md says: one unit a transition, and few in the indexes', async () => {
  const lives: Life[] = [];
  const units = await unitsOf(async () => lives.push(await live(metered.store)));
  expect(lives).toEqual([{ commits: 19, largest: expect.any(Number) }]);
  expect(lives[0]?.largest).toBeLessThanOrEqual(1_024);
  expect(units).toEqual({
    table: 20,
    byKind: { move: 20 },
    byIndex: { byBatch: 9, byTime: 1, byDue: 6, byWaiting: 2 },
  });
});

/** What preflight finds of the endpoint of a `MoveBench`. */
const sizeOfShop = 8_692;

test('what a move writes on its endpoint, its hosts and for its cleanup is what docs/table.md says', async () => {
  const bench = new MoveBench(metered);
  const { id, source, target } = await bench.begin();
  const { permits, views } = metered;
  const units = await unitsOf(async () => {
    await permits.reserve(target, id, sizeOfShop);
    await permits.take(source, 'out', id, 1);
    await permits.take(target, 'in', id, 1);
    await bench.deliver();
    bench.clock.pass(day);
    await bench.bus.sendWork({ kind: 'work', task: id, phase: 'retire' }, 0);
    await bench.deliver();
  });
  expect((await bench.move()).execution.status.state).toBe('completed');
  expect((await views.cleanupsOn(source)).items).toEqual([]);
  expect(units).toEqual({
    // It was made and admitted before. Eighteen commits: of the last eleven the row has more than a KiB, by its results.
    byKind: { move: 29, endpoint: 5, host: 5, cleanup: 7 },
    byIndex: { byBatch: 6, byDue: 6, byHost: 6 },
    table: 46,
  });
});

test('the step engine alone does twelve steps for at most 12 dollars a million', async () => {
  const used = await measureSteps(twelveSteps.workMs);
  expect(used).toEqual({ writeUnits: 14, dueUnits: 2, reads: 2, messages: 2, invocations: 2 });
  expect(dollars(engineAlone(twelveSteps, used, 10))).toBeLessThanOrEqual(12);
});
