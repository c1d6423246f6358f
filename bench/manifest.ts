import { performance } from 'node:perf_hooks';
import { parseManifestNotices } from '../shared/contracts/manifests/notice.ts';
import type { Placement } from '../shared/domain/placement.ts';
import { endpointName, hostName } from '../shared/domain/ids.ts';
import type { Store } from '../shared/ports/store.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { machineClock } from '../shared/runtime/clock.ts';
import { ingestManifest } from '../shared/workflow/manifests/ingest-manifest.ts';
import { MemoryBlobs } from '../tests/support/memory-blobs.ts';
import { MemoryBus } from '../tests/support/memory-bus.ts';
import { MemoryManifests } from '../tests/support/memory-manifests.ts';
import { createMemoryStore } from '../tests/support/memory-store.ts';
import { MemoryTable } from '../tests/support/memory-table.ts';
import { hostOf } from '../tests/support/sample-batch.ts';

/**
 * How long the reader of manifests takes, and how much memory, by the number of lines: all but the answers of table and
 * bucket, which come from memory. A million lines are ten times as many as a manifest may have; it is refused, and read
 * to its end all the same, for the hash of its content.
 */
const sizes: readonly (readonly [lines: number, endpoints: number])[] = [
  [1_000, 1_000],
  [10_000, 10_000],
  [100_000, 100_000],
  [1_000_000, 100_000],
];
const pieceBytes = 1_048_576;

for (const [lines, endpoints] of sizes) {
  const { store, blobs, bucket, notice } = await prepare(lines, endpoints);
  const services = {
    store,
    blobs,
    bus: new MemoryBus(machineClock),
    clock: machineClock,
    chance: machineChance,
  };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let highest = before;
  const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5);
  const began = performance.now();
  for (const each of parseManifestNotices(notice, 'manifests'))
    await ingestManifest({ ...services, log, manifests: bucket }, each);
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(watch);
  const outcome = blobs.contents.size === 0 ? 'refused' : 'read';
  console.log(
    `${String(lines)} lines ${outcome} in ${seconds.toFixed(2)} s, ${String(Math.round(lines / seconds))} a second, ${String(Math.round((highest - before) / 1_048_576))} MiB more at the most`,
  );
}

/** The bucket with one manifest in it, and a table that has its endpoints. */
async function prepare(lines: number, endpoints: number) {
  const memory = createMemoryStore(new MemoryTable(), { chance: machineChance });
  await memory.insert('host', hostOf('h2'));
  const placement: Placement = {
    endpoint: endpointName('tenant'),
    driver: 'simulated',
    host: hostName('h1'),
    database: 'tenant',
    epoch: 1,
    arbitration: { kind: 'serving' },
    claims: 0,
    announcedEpoch: 1,
    sizeBytes: 0,
    labels: {},
    registeredAt: 1,
    version: 1,
  };
  await memory.insert('endpoint', placement);
  // One row stands for all of them.
  const store: Store = {
    ...memory,
    load: (kind, key) =>
      memory.load(kind, kind === 'endpoint' ? { ...key, endpoint: placement.endpoint } : key),
  };
  const bucket = new MemoryManifests('manifests', pieceBytes);
  const parts = ['endpoint,target\n'];
  for (let nth = 0; nth < lines; nth += 1) parts.push(`tenant-${String(nth % endpoints)},h2\n`);
  const notice = bucket.put('a.csv', parts.join(''), { 'bad-lines': 'skip-and-report' });
  return { store, blobs: new MemoryBlobs(), bucket, notice };
}
