import { StepFailure } from '../../domain/failure.ts';
import { isMoveId } from '../../domain/ids.ts';
import type { StandingDatabase } from '../../domain/stock.ts';
import type {
  DiscoveredEndpoint,
  HostDescription,
  HostDriver,
  HostSite,
  MoveJob,
  MoveSession,
  PreflightFinding,
  Residue,
} from '../../ports/driver.ts';
import * as cutover from './cutover.ts';
import { layGround } from './ground.ts';
import { http } from './http.ts';
import { moveNames } from './names.ts';
import { preflight, replicationOff } from './preflight.ts';
import * as transfer from './transfer.ts';
import type { Link, Transport } from './transport.ts';
import * as undo from './undo.ts';

/**
 * The engine of data of simulated hosts: it moves simulated databases by the same order, records and tokens as a
 * real engine's driver. For trying Drayage out at scale, and for its simulations.
 */
export function simulatedDriver(way: Transport): HostDriver {
  const transport: Transport = { ...way, connect: (site) => asTheHostKnowsUs(site, way.connect(site)) };
  return {
    name: 'simulated',
    describe: (site) => once(transport, site, describe),
    discover: (site) => once(transport, site, discover),
    examine: (site) => once(transport, site, examine),
    begin: (job) => begin(job, transport),
    takeStock: (site, installation) => once(transport, site, (link) => takeStock(link, installation)),
    findResidue: (site, installation) =>
      once(transport, site, (link, { host }) => findResidue(link, installation, host)),
    removeResidue: (site, residue) => once(transport, site, (link) => removeResidue(link, residue)),
  };
}

/** Simulated hosts of a server process, by `sim://address/host`. */
export const simulatedHttpDriver: HostDriver = simulatedDriver(http);

/** A password that is refused is asked for once more before it counts as wrong: it may have been rotated. */
function asTheHostKnowsUs(site: HostSite, link: Link): Link {
  return {
    async ask(kind, input) {
      const { password } = site;
      try {
        return await link.ask(kind, input);
      } catch (error) {
        if (!(error instanceof StepFailure) || error.failure.code !== 'authentication-failed') throw error;
        if ((await site.renewPassword?.(password)) !== true) throw error;
        return await link.ask(kind, input);
      }
    },
    close: () => link.close(),
  };
}

async function once<T>(
  transport: Transport,
  site: HostSite,
  work: (link: Link, site: HostSite) => Promise<T>,
): Promise<T> {
  const link = transport.connect(site);
  try {
    return await work(link, site);
  } finally {
    await link.close();
  }
}

async function describe(link: Link): Promise<HostDescription> {
  const { system, version, slots, workers, replicates, capacityBytes, usedBytes } = await link.ask(
    'describe',
    {},
  );
  return {
    version: String(version),
    systemIdentifier: system,
    movesOut: slots,
    movesIn: workers,
    facts: { replicates, capacityBytes, usedBytes },
  };
}

async function discover(link: Link): Promise<readonly DiscoveredEndpoint[]> {
  const { databases } = await link.ask('discover', {});
  return databases.map(({ name, owner, bytes }) => ({ database: name, owner, sizeBytes: bytes }));
}

async function examine(link: Link, { host }: HostSite): Promise<readonly PreflightFinding[]> {
  const { replicates } = await link.ask('describe', {});
  return replicates ? [] : [replicationOff(host, 'warning')];
}

function begin(job: MoveJob, transport: Transport): MoveSession {
  const ground = layGround(job, transport);
  return {
    preflight: () => preflight(ground),
    provision: () => transfer.provision(ground),
    copy: () => transfer.copy(ground),
    catchUp: () => transfer.catchUp(ground),
    verify: () => transfer.verify(ground),
    ping: (side) => transfer.ping(ground, side),
    predictPause: () => transfer.predictPause(ground),
    fence: () => cutover.fence(ground),
    unfence: () => cutover.unfence(ground),
    settle: () => cutover.settle(ground),
    confirm: () => cutover.confirm(ground),
    fenceForGood: () => cutover.fenceForGood(ground),
    open: () => cutover.open(ground),
    probe: () => cutover.probe(ground),
    release: () => cutover.release(ground),
    retire: (copy) => cutover.retire(ground, copy),
    dropReplication: () => undo.dropReplication(ground),
    dropTarget: () => undo.dropTarget(ground),
    async close() {
      await Promise.allSettled([ground.source.close(), ground.target.close()]);
    },
  };
}

async function takeStock(link: Link, installation: string): Promise<readonly StandingDatabase[]> {
  const { databases } = await link.ask('stock', { installation });
  return databases.map(({ name, access, token, copyOf }) => ({
    database: name,
    access,
    ...(token === 0 ? {} : { marker: { token } }),
    ...(copyOf !== null && isMoveId(copyOf) ? { copyOf } : {}),
  }));
}

async function findResidue(link: Link, installation: string, host: string): Promise<readonly Residue[]> {
  const { system, items } = await link.ask('residue', { installation });
  return items.map(({ kind, name, oid, mark }) => {
    if (!isMoveId(mark.move)) throw new RangeError(`"${mark.move}" on ${host} is no move`);
    // A database may bear its final name already; it is recorded under the one that we gave it.
    const names = moveNames({ installation, move: mark.move, run: mark.run });
    const recordedName = kind === 'database' ? names.provisional : name;
    const identity = { systemIdentifier: system, ...(oid === null ? {} : { oid }) };
    return {
      move: mark.move,
      run: mark.run,
      item: { key: `${kind}:${recordedName}`, kind, name: recordedName, ...identity },
    };
  });
}

async function removeResidue(link: Link, { move, run, item }: Residue): Promise<void> {
  const [, installation = ''] = item.name.split('_');
  await link.ask('remove-residue', {
    system: item.systemIdentifier,
    kind: item.kind,
    name: item.name,
    oid: item.oid ?? null,
    mark: { installation, move, run },
  });
}
