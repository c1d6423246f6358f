import { usual } from './behaviour.ts';
import { held } from './guarding.ts';
import {
  harden,
  refuse,
  rowBytes,
  sizeOf,
  usedBytes,
  type Database,
  type Host,
  type Row,
  type Slot,
  type Subscription,
} from './host.ts';
import type { Scene } from './scene.ts';
import type { Inputs, Outputs } from './protocol.ts';

/** Applied changes become durable this long after the last time they did, as by a background writer. */
const flushEveryMs = 200;

/** Publication and slot, under one name. From its position on, the source keeps what the target needs. */
export function publish({ host }: Scene, { guard, name }: Inputs['publish']): Outputs['publish'] {
  const database = held(host, guard);
  const known = host.slots.get(name);
  if (known !== undefined) return { position: known.start };
  const limit = host.behaviour.slots ?? usual.slots;
  if (host.slots.size >= limit) {
    throw refuse(
      'retry',
      'slots-exhausted',
      `all ${String(limit)} replication slots of ${host.name} are taken`,
      'raise the number of slots, or wait until other moves have ended',
    );
  }
  host.publications.set(name, database.oid);
  const position = database.rows.length;
  host.slots.set(name, { name, oid: database.oid, start: position, confirmed: position });
  return { position };
}

/** The target begins to copy, and then to apply what the slot holds. */
export function subscribe(
  scene: Scene,
  { guard, name, source, slot }: Inputs['subscribe'],
): Outputs['subscribe'] {
  const { host, now } = scene;
  const target = held(host, guard);
  if (!host.subscriptions.has(name)) {
    const limit = host.behaviour.workers ?? usual.workers;
    if (host.subscriptions.size >= limit) {
      throw refuse(
        'retry',
        'workers-exhausted',
        `all ${String(limit)} replication workers of ${host.name} are busy`,
        'raise the number of workers, or wait until other moves have ended',
      );
    }
    const upstream = find(scene, source, slot);
    host.subscriptions.set(name, {
      name,
      oid: target.oid,
      source,
      slot,
      state: 'copying',
      copiedBytes: 0,
      totalBytes: upstream.database.bytes + upstream.slot.start * rowBytes,
      copiedRows: 0,
      applied: 0,
      flushed: 0,
      flushedAt: now,
      advancedAt: now,
      carry: 0,
    });
  }
  return replication(scene, { subscription: name });
}

export function replication(
  scene: Scene,
  { subscription: name }: Inputs['replication'],
): Outputs['replication'] {
  const { host } = scene;
  const subscription = host.subscriptions.get(name);
  if (subscription === undefined) {
    throw refuse(
      'fail',
      'subscription-missing',
      `${host.name} has no subscription ${name} any more`,
      'somebody dropped it: start the move again',
    );
  }
  const upstream = advance(scene, subscription);
  const behind = upstream.database.rows.length - subscription.applied;
  const lagMs = behind > 0 ? (host.behaviour.lagMs ?? 0) : 0;
  const rate = host.behaviour.applyRowsPerSecond;
  const speed = host.behaviour.copyBytesPerSecond;
  const copyMs =
    speed === undefined ? 0 : ((subscription.totalBytes - subscription.copiedBytes) / speed) * 1000;
  const copying = subscription.state === 'copying';
  return {
    state: subscription.state,
    copiedBytes: Math.floor(subscription.copiedBytes),
    totalBytes: subscription.totalBytes,
    applied: subscription.applied,
    lagBytes: behind * rowBytes,
    etaMs: Math.ceil((copying ? copyMs : 0) + lagMs + (rate === undefined ? 0 : (behind / rate) * 1000)),
  };
}

/** Is the position applied? Then the sequence follows, and one synchronous commit makes all of it durable. */
export function settle(scene: Scene, input: Inputs['settle']): Outputs['settle'] {
  const { host, now } = scene;
  const target = held(host, input.guard);
  if (input.subscription !== null) {
    const status = replication(scene, { subscription: input.subscription });
    if (status.applied < input.marker)
      return { settled: false, lagBytes: status.lagBytes, etaMs: status.etaMs };
  }
  target.sequence = input.sequence;
  harden(host, target);
  const subscription = input.subscription === null ? undefined : host.subscriptions.get(input.subscription);
  if (subscription !== undefined)
    flush(host, target, subscription, find(scene, subscription.source, subscription.slot).slot, now);
  return { settled: true, lagBytes: 0, etaMs: 0 };
}

/** What the slot still holds that nobody has confirmed; null when there is no such slot. */
export function tail({ host }: Scene, { slot: name }: Inputs['tail']): Outputs['tail'] {
  const slot = host.slots.get(name);
  const database = slot === undefined ? undefined : host.databases.get(slot.oid);
  return {
    pending: slot === undefined || database === undefined ? null : database.rows.length - slot.confirmed,
  };
}

/** A copy of a closed database, as far as time allows: called again until all is there. */
export function pull(scene: Scene, { guard, source: url, oid }: Inputs['pull']): Outputs['pull'] {
  const { host, now } = scene;
  const target = held(host, guard);
  const source = scene.peer(url)?.databases.get(oid);
  if (source === undefined) throw unreachable(host, url);
  const job = host.pulls.get(target.oid) ?? { copiedBytes: 0, advancedAt: now };
  const total = sizeOf(source);
  const speed = host.behaviour.copyBytesPerSecond;
  const copied =
    speed === undefined ? total : Math.min(total, job.copiedBytes + ((now - job.advancedAt) * speed) / 1000);
  host.pulls.set(target.oid, { copiedBytes: copied, advancedAt: now });
  take(
    host,
    target,
    source,
    target.rows.length,
    share(source.rows.length, copied, total),
    copied - job.copiedBytes,
  );
  target.durable = target.rows.length;
  if (copied >= total) {
    target.bytes = source.bytes;
    host.pulls.delete(target.oid);
  }
  return {
    copiedBytes: Math.floor(copied),
    totalBytes: total,
    etaMs: speed === undefined ? 0 : Math.ceil(((total - copied) / speed) * 1000),
  };
}

/** Brings a subscription to where it would be by now, had it worked all the time since it was last looked at. */
function advance(
  scene: Scene,
  subscription: Subscription,
): { readonly database: Database; readonly slot: Slot } {
  const { host, now } = scene;
  const target = host.databases.get(subscription.oid);
  if (target === undefined) throw new RangeError(`subscription ${subscription.name} has lost its database`);
  const elapsed = Math.max(0, now - subscription.advancedAt);
  subscription.advancedAt = Math.max(now, subscription.advancedAt);
  const { database: source, slot } = find(scene, subscription.source, subscription.slot);

  if (subscription.state === 'copying') copy(host, target, source, slot, subscription, elapsed);
  if (subscription.state === 'applying') {
    apply(host, target, source, subscription, elapsed, now);
    if (now - subscription.flushedAt >= flushEveryMs) flush(host, target, subscription, slot, now);
  }
  return { database: source, slot };
}

function copy(
  host: Host,
  target: Database,
  source: Database,
  slot: Slot,
  subscription: Subscription,
  elapsed: number,
): void {
  const { totalBytes, copiedBytes } = subscription;
  const speed = host.behaviour.copyBytesPerSecond;
  const copied =
    speed === undefined ? totalBytes : Math.min(totalBytes, copiedBytes + (elapsed * speed) / 1000);
  const rows = share(slot.start, copied, totalBytes);
  take(host, target, source, subscription.copiedRows, rows, copied - copiedBytes);
  subscription.copiedBytes = copied;
  subscription.copiedRows = rows;
  target.durable = target.rows.length;
  if (copied < totalBytes) return;
  target.bytes = source.bytes;
  subscription.state = 'applying';
  subscription.applied = slot.start;
  subscription.flushed = slot.start;
}

function apply(
  host: Host,
  target: Database,
  source: Database,
  subscription: Subscription,
  elapsed: number,
  now: number,
): void {
  const rate = host.behaviour.applyRowsPerSecond;
  const budget = rate === undefined ? Infinity : subscription.carry + (elapsed * rate) / 1000;
  const until = now - (host.behaviour.lagMs ?? 0);
  const fresh: Row[] = [];
  for (const row of source.rows.slice(subscription.applied)) {
    if (row.at > until || fresh.length + 1 > budget) break;
    fresh.push(row);
  }
  target.rows.push(...fresh);
  subscription.applied += fresh.length;
  subscription.carry = rate === undefined ? 0 : Math.min(budget - fresh.length, 1);
}

/** What was applied is safe now, and the source need not keep it any longer. */
function flush(host: Host, target: Database, subscription: Subscription, slot: Slot, now: number): void {
  harden(host, target);
  subscription.flushedAt = now;
  slot.confirmed = Math.max(slot.confirmed, subscription.flushed);
}

/** Stores rows `from` to `to` of the source, if there is room. */
function take(host: Host, target: Database, source: Database, from: number, to: number, bytes: number): void {
  const { capacityBytes, diskFull } = host.behaviour;
  const full = diskFull === true || (capacityBytes !== undefined && usedBytes(host) + bytes > capacityBytes);
  if (full && bytes > 0) {
    throw refuse(
      'retry',
      'disk-full',
      `the disk of ${host.name} is full`,
      'make room on the host, or move to another one',
    );
  }
  target.rows.push(...source.rows.slice(from, to));
  target.bytes += Math.max(0, Math.floor(bytes) - (to - from) * rowBytes);
}

const share = (rows: number, copied: number, total: number): number =>
  copied >= total ? rows : Math.floor((rows * copied) / total);

function find(
  scene: Scene,
  url: string,
  slotName: string,
): { readonly database: Database; readonly slot: Slot } {
  const source = scene.peer(url);
  if (source === undefined) throw unreachable(scene.host, url);
  const slot = source.slots.get(slotName);
  const database = slot === undefined ? undefined : source.databases.get(slot.oid);
  if (slot !== undefined && database !== undefined) return { database, slot };
  throw refuse(
    'fail',
    'slot-missing',
    `${source.name} has no replication slot ${slotName} any more`,
    'somebody dropped it: what it held is known to the source alone; start the move again',
  );
}

function unreachable(host: Host, url: string): Error {
  return refuse(
    'host-down',
    'target-cannot-reach-source',
    `${host.name} cannot reach ${url}`,
    'open the way from the target to the source, or start the source',
  );
}
