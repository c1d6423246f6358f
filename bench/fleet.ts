import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { startCloud, type Cloud } from '../local/cloud.ts';
import { packageService } from '../local/packaging/package.ts';
import { makeFleet, type Fleet } from '../local/simulated/fleet.ts';
import { startSimulatedServer, type SimulatedServer } from '../local/simulated/server.ts';
import { wholeNumber } from '../local/whole-number.ts';
import { check } from '../shared/drivers/simulated/check.ts';
import type { Batch } from '../shared/domain/batch.ts';
import { endpointName } from '../shared/domain/ids.ts';
import { fleetRequest, moveAll, movedOf, register } from './fleet-course.ts';
import { exchangeReleases, type Exchange } from './fleet-exchange.ts';
import { figuresBetween, type FleetFigures } from './fleet-figures.ts';
import { eventually, FleetFailed, FleetOperator } from './fleet-operator.ts';

interface Options {
  readonly endpoints: number;
  readonly hosts: number;
  readonly permits: number;
  readonly writes: number;
  readonly limit: number;
  readonly minutes: number;
  readonly json: boolean;
  readonly state?: string;
  readonly otherRelease?: string;
}

const root = resolve(import.meta.dirname, '..');

/** So that it takes no time while moves are in flight. */
async function packaged(folder: string, say: (line: string) => void): Promise<void> {
  await packageService({
    root: folder,
    stage: 'local',
    params: {},
    onPackaging: () => {
      say(`packaging ${folder} …`);
    },
  });
}

/** Many simulated endpoints through the whole pipeline on the embedded cloud, by one request. */
async function run(options: Options, say: (line: string) => void): Promise<boolean> {
  if (options.state !== undefined && existsSync(options.state)) {
    throw new FleetFailed(
      `${options.state} is there already: name a new folder, every run begins with an empty cloud`,
    );
  }
  const folder = options.state ?? (await mkdtemp(join(tmpdir(), 'drayage-fleet-')));
  const hosts = await startSimulatedServer();
  let cloud: Cloud | undefined;
  let operator: FleetOperator | undefined;
  try {
    say(`starting the embedded cloud (at most ${String(options.limit)} write units a second and key) …`);
    cloud = await startCloud({
      root,
      stateDir: folder,
      ...(options.limit > 0 ? { writeLimitPerKey: options.limit } : {}),
      onNotice: say,
    });
    operator = new FleetOperator(cloud);
    const { permits } = options;
    const fleet = makeFleet(
      hosts.network,
      {
        hosts: options.hosts,
        endpoints: options.endpoints,
        onHosts: Math.ceil(options.hosts / 2),
        behaviour: { slots: permits, workers: permits },
      },
      Date.now(),
    );
    await register(operator, hosts, fleet, options, say);

    const { otherRelease } = options;
    if (otherRelease !== undefined) await packaged(otherRelease, say);

    const before = await cloud.stats();
    hosts.write(options.writes);
    const begun = performance.now();
    const patienceMs = options.minutes * 60_000;
    const [batch, exchanges] = await Promise.all([
      moveAll(operator, fleet, options, say),
      otherRelease === undefined
        ? undefined
        : exchangeReleases(
            cloud,
            operator,
            fleetRequest,
            { before: root, other: otherRelease },
            patienceMs,
            say,
          ),
    ]);
    const seconds = (performance.now() - begun) / 1000;
    say('waiting until the source copies are retired …');
    await eventually('the source copies to be retired', 120_000, () =>
      Promise.resolve(
        Object.keys(check(hosts.network, 'is-residue').residue).length === 0 ? true : undefined,
      ),
    ).catch((error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
    });
    hosts.write(0);
    const after = await cloud.stats();
    return await report(
      options,
      {
        operator,
        hosts,
        fleet,
        batch,
        exchanges,
        seconds,
        figures: figuresBetween(before, after),
        hottest: after.hottestKey,
      },
      say,
    );
  } finally {
    operator?.close();
    await cloud?.stop();
    await hosts.close();
    if (options.state === undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly operator: FleetOperator;
  readonly hosts: SimulatedServer;
  readonly fleet: Fleet;
  readonly batch: Batch;
  readonly exchanges: readonly Exchange[] | undefined;
  readonly seconds: number;
  readonly figures: FleetFigures;
  readonly hottest: { readonly key: string; readonly unitsPerSecond: number } | undefined;
}

async function report(options: Options, outcome: Outcome, say: (line: string) => void): Promise<boolean> {
  const { operator, hosts, fleet, batch, exchanges, seconds, figures, hottest } = outcome;
  const findings = check(hosts.network, 'is-residue');
  const placements = (await operator.placements(fleet.endpoints.map(({ name }) => endpointName(name)))) ?? [];
  const origins = new Map(fleet.endpoints.map(({ name, host }) => [name, host]));
  const misplaced = placements.filter(
    ({ endpoint, host, database }) =>
      hosts.network.servers(database)[0] !== host || origins.get(endpoint) === host,
  );
  const moved = movedOf(batch);
  const faults = [
    [`${String(fleet.endpoints.length - moved)} endpoints have not moved`, moved !== fleet.endpoints.length],
    [`${String(misplaced.length)} placements do not name the host that serves`, misplaced.length > 0],
    [`${String(findings.lost)} acknowledged writes are lost`, findings.lost > 0],
    [`${String(findings.duplicated)} writes are there twice`, findings.duplicated > 0],
    [`${String(findings.reordered)} writes are out of order`, findings.reordered > 0],
    [`${String(findings.homeless.length)} databases accept no writes`, findings.homeless.length > 0],
    [`${String(findings.doubled.length)} databases accept writes on two hosts`, findings.doubled.length > 0],
    [
      `something was left behind on ${Object.keys(findings.residue).join(', ')}`,
      Object.keys(findings.residue).length > 0,
    ],
    [
      `an internal message has ${String(figures.largestMessageBytes)} bytes`,
      figures.largestMessageBytes > 1_024,
    ],
  ] as const;
  const found = faults.filter(([, isFault]) => isFault).map(([sentence]) => sentence);
  const each = (value: number): number => Math.round((value / fleet.endpoints.length) * 100) / 100;
  const result = {
    batch: batch.id,
    state: batch.state,
    moves: { total: fleet.endpoints.length, moved, counts: batch.counts },
    seconds: Math.round(seconds * 10) / 10,
    movesPerSecond: Math.round((moved / seconds) * 10) / 10,
    perMove: {
      writeUnits: each(figures.writeUnits),
      indexUnits: each(figures.indexUnits),
      writeRequests: each(figures.writeRequests),
      messages: each(figures.messages),
      changes: each(figures.changes),
      invocations: each(figures.invocations),
      cpuMs: each(figures.functionCpuMs),
    },
    largestMessageBytes: figures.largestMessageBytes,
    throttled: figures.throttled,
    hottestKey: hottest ?? null,
    failedInvocations: figures.failedInvocations,
    messagesOf: figures.messagesOf,
    cpuMsOf: figures.cpuMsOf,
    writes: {
      acknowledged: findings.acknowledged,
      lost: findings.lost,
      duplicated: findings.duplicated,
      reordered: findings.reordered,
    },
    ...(exchanges === undefined
      ? {}
      : { exchanges, unknownAttributes: await operator.unknownAttributes(batch.id) }),
    faults: found,
  };
  if (options.json) console.log(JSON.stringify(result));
  else print(result, say);
  return found.length === 0;
}

function print(result: object, say: (line: string) => void): void {
  for (const [name, value] of Object.entries(result)) {
    say(`${name.padEnd(20)} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
}

const whole = wholeNumber(0);

const options = new Command('fleet')
  .description('Moves many simulated endpoints through the whole pipeline and prints what one move costs.')
  .option('--endpoints <n>', 'how many', whole, 1_000)
  .option('--hosts <n>', 'hosts; the first half of them is emptied', whole, 8)
  .option('--permits <n>', 'moves out of and into a host at once', whole, 10)
  .option('--writes <n>', 'writes a second by simulated clients meanwhile', whole, 200)
  .option('--limit <n>', 'write units a second that a key may take; 0 sets no limit', whole, 1_000)
  .option('--minutes <n>', 'patience', whole, 15)
  .option('--state <folder>', 'keep state and logs of the embedded cloud in this new folder')
  .option('--other-release <folder>', 'deploy these sources while moves are in flight, and take them back')
  .option('--json', 'print one line of JSON last', false)
  .parse()
  .opts<Options>();

try {
  const say = (line: string): void => {
    (options.json ? console.error : console.log)(line);
  };
  process.exitCode = (await run(options, say)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof FleetFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
