import { performance } from 'node:perf_hooks';
import { parseManifestNotices } from '../shared/contracts/manifests/notice.ts';
import type { Placement } from '../shared/domain/placement.ts';
import { endpointName, hostName } from '../shared/domain/ids.ts';
import type { Store } from '../shared/ports/store.ts';
import { untraced } from '../shared/ports/tracer.ts';
import { machineCalendar } from '../shared/runtime/calendar.ts';
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
 * How long the reader of manifests takes (with what makes the file), and how much memory, by the number of lines: all but the answers of table and
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

const { gc } = globalThis;
if (gc === undefined)
  throw new Error('run it as node --expose-gc bench/manifest.ts: memory is what is still in use');

for (const [lines, endpoints] of sizes) {
  const began = performance.now();
  const outcome = await read(lines, endpoints, () => undefined);
  const seconds = (performance.now() - began) / 1_000;
  let highest = 0;
  await read(lines, endpoints, () => {
    gc({ execution: 'sync', type: 'major' });
    highest = Math.max(highest, process.memoryUsage().heapUsed);
  });
  console.log(
    `${String(lines)} lines: ${outcome} in ${seconds.toFixed(2)} s, ${String(Math.round(highest / 1_048_576))} MiB of heap in use at the most`,
  );
}

/** @param look called before each piece of the object, and at the end */
async function read(lines: number, endpoints: number, look: () => void): Promise<string> {
  const { store, blobs, bucket, notice } = await prepare(lines, endpoints);
  bucket.beforePiece = look;
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const services = { store, blobs, bus: new MemoryBus(machineClock), clock: machineClock, log };
  for (const each of parseManifestNotices(notice, 'manifests'))
    await ingestManifest(
      { ...services, calendar: machineCalendar, chance: machineChance, tracer: untraced, manifests: bucket },
      each,
    );
  look();
  return services.bus.sent.length === 0 ? 'refused' : 'planned';
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
