import type { Database, Host } from '../../shared/drivers/simulated/host.ts';
import type { Mark } from '../../shared/drivers/simulated/protocol.ts';
import type { Network } from '../../shared/drivers/simulated/network.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { Written } from './clients.ts';
import type { Standing } from './records.ts';

/** A promise of the product does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export interface Scope {
  readonly standing: Standing;
  readonly network: Network;
  /** By database, the writes that hosts have taken. */
  readonly written: ReadonlyMap<string, readonly Written[]>;
  /** By database, whether what is open had every write when it was last looked at closely. */
  readonly whole: Map<string, string>;
}

/** What must hold after every single event. @throws Broken */
export function assertAlways(scope: Scope): void {
  for (const placement of scope.standing.placements.values()) assertServedOnce(scope, placement);
  for (const host of scope.network.hosts.values()) assertRecorded(scope, host);
}

/** From the last word of a worker until its move is due, at most: half a minute of grace, and one of rounding. */
const dueAfterMs = 60_000;
const travelMs = 2_000;

/** No move lies still for longer than it takes the sweep to find it. Holds where nothing but messages is lost. */
export function assertSwept({ moves }: Standing, now: number, sweepEveryMs: number): void {
  for (const { id, execution } of moves.values()) {
    const { status, last } = execution;
    if (status.state !== 'running' && status.state !== 'rolling-back') continue;
    const silentSince = Math.max(status.dueAt, status.lease?.until ?? 0, last.at);
    if (now - silentSince <= dueAfterMs + sweepEveryMs + travelMs) continue;
    throw new Broken(`move ${id} lies still in ${status.step} since ${new Date(silentSince).toISOString()}`);
  }
}

/** At most one host accepts writes, it is the one that the arbiter names, and it has every write once, in order. */
function assertServedOnce(scope: Scope, placement: Placement): void {
  const { database: name, arbitration, endpoint } = placement;
  const [open, second] = openOn(scope.network, name);
  if (second !== undefined) {
    throw new Broken(`${endpoint} accepts writes on ${String(open?.host)} and on ${second.host}`);
  }
  if (open === undefined) {
    if (arbitration.kind === 'serving') {
      throw new Broken(`${endpoint} serves from ${placement.host} by its row, and is open nowhere`);
    }
  } else {
    if (open.host !== placement.host) {
      throw new Broken(`${endpoint} is open on ${open.host}, and its row names ${placement.host}`);
    }
    if (arbitration.kind === 'flipped') throw new Broken(`${endpoint} is open before the intent to open`);
  }
  assertWhole(scope, placement, open);
}

/** Who serves, or will serve without another look at the source, has everything, for good. */
function assertWhole(
  { network, written, whole }: Scope,
  { database: name, arbitration, endpoint, host }: Placement,
  open: Opened | undefined,
): void {
  const expected = written.get(name) ?? [];
  const moved = arbitration.kind === 'flipped' || arbitration.kind === 'opening';
  const holder = open ?? (moved ? holds(network, host, name) : undefined);
  if (holder === undefined) {
    if (moved) throw new Broken(`${endpoint} was flipped to ${host}, which has no such database`);
    return;
  }
  const { rows, durable } = holder.database;
  if (durable !== rows.length) {
    throw new Broken(
      `${String(rows.length - durable)} writes of ${endpoint} are not durable on ${holder.host}`,
    );
  }
  const last = rows.at(-1);
  const lastExpected = expected.at(-1);
  const fits =
    rows.length === expected.length &&
    last?.seq === lastExpected?.seq &&
    last?.writer === lastExpected?.writer;
  const seen = `${holder.host} ${String(holder.database.oid)}`;
  if (fits && whole.get(name) === seen) return;
  const at = expected.findIndex(
    ({ writer, seq }, index) => rows[index]?.writer !== writer || rows[index].seq !== seq,
  );
  if (at >= 0 || rows.length !== expected.length) {
    const index = at < 0 ? expected.length : at;
    throw new Broken(
      `${endpoint} on ${holder.host} has ${String(rows.length)} writes of ${String(expected.length)}; the first that differs is number ${String(index + 1)}: ${tell(expected[index])} was taken, ${tell(rows[index])} is there`,
    );
  }
  whole.set(name, seen);
}

const tell = (write: Written | undefined): string =>
  write === undefined ? 'none' : `${write.writer} ${String(write.seq)}`;

interface Opened {
  readonly host: string;
  readonly database: Database;
}

function openOn(network: Network, name: string): Opened[] {
  const found: Opened[] = [];
  for (const host of network.hosts.values()) {
    for (const database of host.databases.values()) {
      if (database.name === name && database.access === 'open') found.push({ host: host.name, database });
    }
  }
  return found;
}

function holds(network: Network, hostName: string, name: string): Opened | undefined {
  for (const database of network.hosts.get(hostName)?.databases.values() ?? []) {
    if (database.name === name) return { host: hostName, database };
  }
  return undefined;
}

const streamName = /^dray_[0-9a-z]+_([0-9a-z]{16})_(\d+)_s0$/;

/** Everything of ours on a host, and every database that we have closed, stands in a cleanup record. */
function assertRecorded({ standing }: Scope, host: Host): void {
  const mustBe = (move: string, run: number, key: string): void => {
    if (standing.wasRecorded({ move, run, host: host.name }, key)) return;
    throw new Broken(`${key} is on ${host.name}, and no record of ${move} ever said so`);
  };
  const streams: readonly (readonly [string, Iterable<string>])[] = [
    ['slot', host.slots.keys()],
    ['publication', host.publications.keys()],
    ['subscription', host.subscriptions.keys()],
  ];
  for (const [kind, names] of streams) {
    for (const name of names) {
      const [, move, run] = streamName.exec(name) ?? [];
      mustBe(`mv_${move ?? ''}`, Number(run), `${kind}:${name}`);
    }
  }
  for (const { mark, access, name } of host.databases.values()) {
    if (mark !== undefined) {
      mustBe(mark.move, mark.run, keyOfMarked(mark, access));
    } else if (access !== 'open') {
      const claim = [...standing.placements.values()].find(({ database }) => database === name)?.claim;
      if (claim === undefined) throw new Broken(`${name} on ${host.name} is closed, and no move has it`);
      mustBe(claim.move, 1, `access:${name}`);
    }
  }
}

/**
 * What is not recorded any more is not there any more. But for what a worker has made that was stopped and has
 * gone on too late: no later one has touched it, and the sweep finds it. @throws Broken
 */
export function assertGone(
  { network, standing }: Pick<Scope, 'network' | 'standing'>,
  of: { readonly move: string; readonly run: number; readonly host: string },
  key: string,
): void {
  const host = network.hosts.get(of.host);
  const newest = standing.moves.get(`MOVE#${of.move} MOVE`)?.execution.token ?? 0;
  if (host !== undefined && thingsOf(host, of, newest).has(key)) {
    throw new Broken(`${key} is on ${of.host}, and ${of.move} has forgotten it`);
  }
}

function thingsOf(
  host: Host,
  { move, run }: { readonly move: string; readonly run: number },
  token: number,
): Set<string> {
  const streams = [
    ...[...host.slots.keys()].map((name) => `slot:${name}`),
    ...[...host.publications.keys()].map((name) => `publication:${name}`),
    ...[...host.subscriptions.keys()].map((name) => `subscription:${name}`),
  ];
  const databases = [...host.databases.values()].flatMap(({ mark, access, token: touched }) =>
    mark?.move === move && mark.run === run && access !== 'open' && touched >= token
      ? [keyOfMarked(mark, access)]
      : [],
  );
  return new Set([...streams, ...databases]);
}

function keyOfMarked({ installation, move, run }: Mark, access: Database['access']): string {
  const own = `dray_${installation}_${move.slice('mv_'.length)}_${String(run)}`;
  return access === 'closed-for-good' ? `retained:${own}_r` : `database:${own}`;
}
