import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCloud, type Cloud, type CloudStats } from '../local/cloud.ts';
import { CALL_LOG_FOLDER, CALL_LOG_OF_EACH, notedCall, type NotedCall } from '../local/servers/call-log.ts';
import { makeFleet } from '../local/simulated/fleet.ts';
import { startSimulatedServer } from '../local/simulated/server.ts';
import { check } from '../shared/drivers/simulated/check.ts';
import { nothing, type Use } from './cost-model.ts';
import { moveAll, register } from './fleet-course.ts';
import { eventually, FleetFailed, FleetOperator } from './fleet-operator.ts';

export interface BatchOptions {
  readonly endpoints: number;
  readonly hosts: number;
  /** Moves out of and into a host at once. */
  readonly permits: number;
  readonly minutes: number;
}

/** What a batch has used, per move. */
export interface BatchUse {
  readonly use: Use;
  /** Write units of the table by kind of record, and of each index. */
  readonly unitsOf: Readonly<Record<string, number>>;
  readonly unitsOfIndex: Readonly<Record<string, number>>;
  /** Gigabyte-seconds by function. */
  readonly secondsOf: Readonly<Record<string, number>>;
  readonly cpuMs: number;
}

/** As stages on AWS have it: several endpoints in one invocation. */
const params = { transferBatchSize: '10', cutoverBatchSize: '5' };

/** Moves a fleet of the simulated engine on the embedded cloud, and counts all that its functions ask of AWS. */
export async function measureBatch(options: BatchOptions, say: (line: string) => void): Promise<BatchUse> {
  const folder = await mkdtemp(join(tmpdir(), 'drayage-cost-'));
  const calls = join(folder, `calls-${randomUUID()}`);
  process.env[CALL_LOG_FOLDER] = calls;
  process.env[CALL_LOG_OF_EACH] = 'yes';
  const hosts = await startSimulatedServer();
  let cloud: Cloud | undefined;
  let operator: FleetOperator | undefined;
  try {
    say('starting the embedded cloud …');
    cloud = await startCloud({
      root: resolve(import.meta.dirname, '..'),
      stateDir: join(folder, 'cloud'),
      params,
      inMemory: true,
      meterInDetail: true,
      onNotice: say,
    });
    operator = new FleetOperator(cloud);
    const fleet = makeFleet(
      hosts.network,
      {
        hosts: options.hosts,
        endpoints: options.endpoints,
        onHosts: Math.ceil(options.hosts / 2),
        behaviour: { slots: options.permits, workers: options.permits },
      },
      Date.now(),
    );
    await register(operator, hosts, fleet, options, say);
    const before = await cloud.stats();
    const begun = Date.now();
    const batch = await moveAll(operator, fleet, options, say);
    const moved = (batch.counts.moved ?? 0) + (batch.counts.retired ?? 0);
    if (moved !== options.endpoints)
      throw new FleetFailed(`${String(options.endpoints - moved)} endpoints have not moved`);
    await eventually('the source copies to be retired', 120_000, () =>
      Promise.resolve(
        Object.keys(check(hosts.network, 'is-residue').residue).length === 0 ? true : undefined,
      ),
    );
    // Dead-man messages come when the leases that they watch have ended, and their rows' history after them.
    await delay(afterwardsMs);
    const after = await cloud.stats();
    return perMove(options.endpoints, {
      before,
      after,
      calls: callsIn(calls).filter(({ at = 0 }) => at >= begun),
      memoryMb: new Map(cloud.functions.map(({ logicalId, memoryMb }) => [logicalId, memoryMb])),
    });
  } finally {
    operator?.close();
    await cloud?.stop();
    await hosts.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const afterwardsMs = 15_000;

interface Measured {
  readonly before: CloudStats;
  readonly after: CloudStats;
  readonly calls: readonly NotedCall[];
  readonly memoryMb: ReadonlyMap<string, number>;
}

function perMove(moves: number, { before, after, calls, memoryMb }: Measured): BatchUse {
  const each = (counts: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / moves]));
  const [table] = Object.keys(after.tables);
  if (table === undefined) throw new FleetFailed('nothing was written');
  const now = after.tables[table];
  const was = before.tables[table];
  const unitsOf = each(less(now?.unitsOf ?? {}, was?.unitsOf ?? {}));
  const unitsOfIndex = each(less(now?.indexUnits ?? {}, was?.indexUnits ?? {}));
  const secondsOf = each(
    Object.fromEntries(
      Object.entries(after.functions).map(([id, { durationMs }]) => [
        id,
        (((durationMs - (before.functions[id]?.durationMs ?? 0)) / 1_000) * (memoryMb.get(id) ?? 0)) / 1_024,
      ]),
    ),
  );
  const count = (wanted: RegExp): number => calls.filter(({ action }) => wanted.test(action)).length / moves;
  const invocations = sum(
    Object.entries(after.functions).map(
      ([id, use]) => use.invocations - (before.functions[id]?.invocations ?? 0),
    ),
  );
  const queued = Object.entries(after.sources).filter(([, { functionId }]) => !functionId.startsWith(relay));
  const batches = sum(queued.map(([id, { batches: some }]) => some - (before.sources[id]?.batches ?? 0)));
  return {
    use: {
      ...nothing,
      publishes: count(/^sns:Publish/),
      // Lambda receives and deletes what comes together by one request each.
      queueRequests: count(/^sqs:/) + (2 * batches) / moves,
      invocations: invocations / moves,
      gigabyteSeconds: sum(Object.values(secondsOf)),
      writeUnits:
        ((now?.writeUnits ?? 0) - (was?.writeUnits ?? 0)) / moves + sum(Object.values(unitsOfIndex)),
      readUnits: ((now?.readUnits ?? 0) - (was?.readUnits ?? 0)) / moves,
      objectWrites: count(/^s3:(Put|List)/),
      objectReads: count(/^s3:Get/),
      secretReads: count(/^secretsmanager:/),
    },
    unitsOf,
    unitsOfIndex,
    secondsOf,
    cpuMs: (after.functionCpuMs - before.functionCpuMs) / moves,
  };
}

/** Lambda's reading of a table's stream costs nothing. */
const relay = 'RelayChanges';

function less(
  now: Readonly<Record<string, number>>,
  was: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - (was[name] ?? 0)]));
}

function callsIn(folder: string): NotedCall[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => notedCall.parse(JSON.parse(line)));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
