/**
 * Measures the move of one live PostgreSQL database against offline copies of the same database between the
 * same two servers, in interleaved rounds:
 *
 *     npm run bench:move -- [--megabytes 1183] [--rounds 5] [--major 15] [--only drayage,dump,pgcopydb]
 *                                 [--writers 8] [--rate 500] [--folder <where the servers have their data>]
 *
 * By default the data is in memory where there is plenty: both servers, the writers and everything else of the machine
 * share one disk, and what its syncs take is then what a commit takes, moved or not.
 *
 * Needs Debian's PostgreSQL (server and client) and pgcopydb; says how to install what is missing.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compareContent, hashTables, isUnwritten } from '../local/demo/content.ts';
import type { ContentHashes, DatabaseAddress } from '../local/demo/content.ts';
import { startServer } from '../local/demo/servers.ts';
import type { PostgresServer } from '../local/demo/servers.ts';
import { bigTenant, createRoles, createTenants } from '../local/demo/tenants.ts';
import { DiskProbe } from './disk-probe.ts';
import { scratchRoot } from '../local/servers/scratch-root.ts';
import { LiveInstallation } from './live-move.ts';
import type { LiveMove } from './live-move.ts';
import { debianBin, dumpAndRestore, pgcopydbClone } from './offline-copies.ts';
import type { OfflineCopy } from './offline-copies.ts';
import { median, percentile } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1183' },
    rounds: { type: 'string', default: '5' },
    major: { type: 'string', default: '15' },
    only: { type: 'string', default: 'drayage,dump,pgcopydb' },
    writers: { type: 'string', default: '8' },
    rate: { type: 'string', default: '500' },
    folder: { type: 'string', default: await scratchRoot() },
  },
});
/** A disk that lets a commit wait for longer than this has a say in the writers' pause. */
const CALM_MS = 150;

interface MeasuredMove extends LiveMove {
  /** The longest that a sync of somebody else took meanwhile. */
  readonly syncMs: number;
}

const major = Number(options.major);
const chosen = new Set(options.only.split(','));
const load = { writers: Number(options.writers), rate: Number(options.rate) };

if (!existsSync(path.join(debianBin(major), 'postgres'))) {
  throw new Error(`no server in ${debianBin(major)}: apt-get install postgresql-${String(major)}`);
}
const copies = [
  ...(chosen.has('dump') ? [dumpAndRestore(major, options.folder)] : []),
  ...(chosen.has('pgcopydb') ? [pgcopydbClone(major, options.folder)] : []),
];

const folder = mkdtempSync(path.join(options.folder, 'drayage-bench-'));
chmodSync(folder, 0o755);
const start = (name: string): Promise<PostgresServer> =>
  startServer({
    name,
    folder,
    binaries: { bin: debianBin(major) },
    settings: { shared_buffers: '256MB', max_wal_size: '4GB' },
  });

// What pgcopydb 0.10 cannot clone: names with double quotes, a key beside an exclusion constraint.
const tenant = bigTenant('shop', Number(options.megabytes), ['quoted', 'booking']);
const servers = await Promise.all([start('a'), start('b')]);
const probe = new DiskProbe(folder);
let installation: LiveInstallation | undefined;
try {
  const [a, b] = servers;
  const [bytes = 0] = await createTenants(a, [tenant]);
  await createRoles(b, [tenant]);
  say(
    `database ${tenant.database}: ${(bytes / 1e6).toFixed(0)} MB on PostgreSQL ${String(major)}, servers a and b`,
  );
  const original = await hashTables(addressOn(a), isUnwritten);
  if (chosen.has('drayage')) {
    installation = await LiveInstallation.start(path.join(folder, 'cloud'), servers, tenant);
  }

  const moves: MeasuredMove[] = [];
  const seconds = new Map(copies.map((copy) => [copy.name, new Array<number>()]));
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    // Each move leaves the database on the other server: rounds go to and fro.
    const [source, target] = installation === undefined || round % 2 === 1 ? [a, b] : [b, a];
    for (const copy of copies) seconds.get(copy.name)?.push(await measureCopy(copy, source, target, round));
    if (installation !== undefined) {
      moves.push(await measureMove(installation, source, target, round));
      for (const difference of await differences(original, addressOn(target)))
        say(`  not equal: ${difference}`);
    }
  }
  report(moves, seconds);
} finally {
  await installation?.stop();
  await probe.stop();
  await Promise.all(servers.map((server) => server.remove()));
  rmSync(folder, { recursive: true, force: true });
}

/** One live move, from server to server. */
async function measureMove(
  live: LiveInstallation,
  source: PostgresServer,
  target: PostgresServer,
  round: number,
): Promise<MeasuredMove> {
  await settle(source);
  const begun = Date.now();
  const move = await live.move(tenant, source, target, load);
  const syncMs = probe.longest(begun);
  const rate = move.acknowledgedPerSecond.toFixed(0);
  say(
    `round ${String(round)}: drayage ${move.seconds.toFixed(1)} s with ${rate} transactions a second; ` +
      `writers waited ${move.pausesMs.map((ms) => ms.toFixed(0)).join(' ')} ms; ` +
      `the disk's longest sync ${syncMs.toFixed(0)} ms`,
  );
  say(
    `  seconds by step: ${Object.entries(move.steps)
      .map(([step, s]) => `${step} ${s.toFixed(1)}`)
      .join(', ')}`,
  );
  return { ...move, syncMs };
}

/** One offline copy, proved equal in the first round, and removed again. */
async function measureCopy(
  copy: OfflineCopy,
  source: PostgresServer,
  target: PostgresServer,
  round: number,
): Promise<number> {
  await settle(source);
  const begun = Date.now();
  const seconds = await copy.run(source, target, tenant.database, 'copy');
  const syncMs = probe.longest(begun).toFixed(0);
  say(`round ${String(round)}: ${copy.name} ${seconds.toFixed(1)} s; the disk's longest sync ${syncMs} ms`);
  if (round === 1) {
    const original = await hashTables(addressOn(source));
    for (const difference of await differences(original, { ...target.address, database: 'copy' })) {
      say(`  not equal: ${difference}`);
    }
  }
  await target.query('DROP DATABASE copy');
  return seconds;
}

/** What one run leaves to be cleared away or written must not burden the next. */
async function settle(source: PostgresServer): Promise<void> {
  await source.query('VACUUM', tenant.database);
  await Promise.all(servers.map((server) => server.query('CHECKPOINT')));
}

async function differences(original: ContentHashes, address: DatabaseAddress): Promise<string[]> {
  return compareContent(
    original,
    await hashTables(address, (name) => original.has(name) || isUnwritten(name)),
  );
}

function addressOn(server: PostgresServer): DatabaseAddress {
  return { ...server.address, database: tenant.database };
}

function report(moves: readonly MeasuredMove[], copied: ReadonlyMap<string, readonly number[]>): void {
  const rows = [
    ...copied,
    ...(moves.length === 0 ? [] : [['drayage, live', moves.map(({ seconds }) => seconds)] as const]),
  ];
  for (const [name, values] of rows) {
    say(
      `${name.padEnd(42)} median ${median(values).toFixed(1)} s   of ${values.map((value) => value.toFixed(1)).join(' ')}`,
    );
  }
  if (moves.length === 0) return;
  const ours = median(moves.map(({ seconds }) => seconds));
  for (const [name, values] of copied) say(`ratio to ${name}: ${(ours / median(values)).toFixed(2)}`);
  sayPauses('', moves);
  const calm = moves.filter(({ syncMs }) => syncMs < CALM_MS);
  if (calm.length === moves.length) return;
  sayPauses(`, in the ${String(calm.length)} rounds in which no sync took ${String(CALM_MS)} ms`, calm);
}

function sayPauses(which: string, moves: readonly MeasuredMove[]): void {
  const pauses = moves.flatMap(({ pausesMs }) => pausesMs);
  if (pauses.length === 0) {
    say(`writers' pause${which}: none`);
    return;
  }
  say(
    `writers' pause over ${String(pauses.length)}${which}: p50 ${percentile(pauses, 0.5).toFixed(0)} ms, ` +
      `p99 ${percentile(pauses, 0.99).toFixed(0)} ms, at most ${Math.max(...pauses).toFixed(0)} ms`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
