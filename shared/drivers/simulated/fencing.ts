import { checkIdentity, guarded, held } from './guarding.ts';
import { endSessions, harden, isSameMark, marked, named, refuse, usedBytes, type Database } from './host.ts';
import { usual } from './behaviour.ts';
import type { Scene } from './scene.ts';
import type { Inputs, Outputs } from './protocol.ts';

/** Empty and closed, under a name of ours, with its mark. */
export function createDatabase(
  { host }: Scene,
  input: Inputs['create-database'],
): Outputs['create-database'] {
  checkIdentity(host, input.system);
  const known = marked(host, input.mark);
  if (known !== undefined) {
    held(host, { system: input.system, token: input.token, database: { oid: known.oid } });
    return { oid: known.oid };
  }
  if (named(host, input.name) !== undefined) throw taken(host.name, input.name);
  const { capacityBytes, diskFull } = host.behaviour;
  if (diskFull === true || (capacityBytes !== undefined && usedBytes(host) >= capacityBytes)) {
    throw refuse(
      'retry',
      'disk-full',
      `the disk of ${host.name} is full`,
      'make room on the host, or move to another one',
    );
  }
  const available: readonly string[] = host.behaviour.extensions ?? usual.extensions;
  const missing = input.extensions.find((extension) => !available.includes(extension));
  if (missing !== undefined) {
    throw refuse(
      'fail',
      'extension-missing',
      `${host.name} has no extension "${missing}"`,
      `install "${missing}" there`,
    );
  }
  const oid = host.nextOid++;
  host.databases.set(oid, {
    oid,
    name: input.name,
    owner: input.owner,
    bytes: 0,
    schema: input.schema,
    extensions: input.extensions,
    keyless: [],
    access: 'closed',
    mark: input.mark,
    rows: [],
    durable: 0,
    sequence: 0,
    token: input.token,
    probes: 0,
  });
  return { oid };
}

/** Its final name: an atomic test that nothing else has it. */
export function nameDatabase(
  { host }: Scene,
  { guard, to }: Inputs['name-database'],
): Outputs['name-database'] {
  const database = held(host, guard);
  const holder = named(host, to);
  if (holder !== undefined && holder !== database) throw taken(host.name, to);
  database.name = to;
  return {};
}

/**
 * Closes the database and puts everybody out; this link's own session stays inside, or gets in. A session that
 * a former worker left behind is of no use to this one and goes with the others.
 */
export function fence({ host, link }: Scene, { guard }: Inputs['fence']): Outputs['fence'] {
  const database = held(host, guard);
  refuseIfClosedForGood(host.name, database);
  database.access = 'closed';
  const ended = endSessions(host, (session) => session.oid === database.oid && !isOurs(session));
  if (![...host.sessions.values()].some((session) => session.oid === database.oid)) {
    const id = `s${String(host.nextSession++)}`;
    host.sessions.set(id, { id, link, oid: database.oid, token: guard.token, write: undefined });
  }
  return { position: database.rows.length, ended };

  function isOurs(session: { readonly link: string; readonly token: number | undefined }): boolean {
    return session.link === link && session.token === guard.token;
  }
}

/**
 * Open again. A database that is gone needs no thaw. One that was closed for good opens only for the worker that
 * did it, or for one that has taken over since: the arbiter has sent it; a late request of the same token was
 * overtaken by the closing.
 */
export function unfence({ host, link }: Scene, { guard }: Inputs['unfence']): Outputs['unfence'] {
  const database = guarded(host, guard);
  if (database === undefined) return {};
  const { closedBy } = database;
  const mayOpen = closedBy !== undefined && (guard.token > closedBy.token || link === closedBy.link);
  if (!mayOpen) refuseIfClosedForGood(host.name, database);
  database.access = 'open';
  delete database.closedBy;
  endSessions(host, ({ oid, token }) => oid === database.oid && token !== undefined);
  return {};
}

/** The end of the log as the session inside the fence sees it. @throws Refusal `session-lost` */
export function marker(scene: Scene, { guard }: Inputs['marker']): Outputs['marker'] {
  const database = held(scene.host, guard);
  requireSession(scene, database);
  return { position: database.rows.length, sequence: database.sequence };
}

export function fenceForGood(
  { host, link }: Scene,
  { guard }: Inputs['fence-for-good'],
): Outputs['fence-for-good'] {
  const database = held(host, guard);
  database.access = 'closed-for-good';
  database.closedBy = { token: guard.token, link };
  endSessions(host, ({ oid }) => oid === database.oid);
  return {};
}

export function open({ host }: Scene, { guard }: Inputs['open']): Outputs['open'] {
  const database = held(host, guard);
  refuseIfClosedForGood(host.name, database);
  database.access = 'open';
  return {};
}

/** A write of ours that is no change of the tenant's. */
export function probe({ host }: Scene, { guard, epoch }: Inputs['probe']): Outputs['probe'] {
  const database = held(host, guard);
  if (database.access !== 'open') {
    throw refuse(
      'retry',
      'target-closed',
      `"${database.name}" on ${host.name} does not accept writes of epoch ${String(epoch)}`,
      'it is opened again by itself',
    );
  }
  database.probes = epoch;
  harden(host, database);
  return {};
}

/** After the subscription the target is nobody's work any more: with `hand` it loses our mark. */
export function unsubscribe(
  { host }: Scene,
  { guard, name, hand }: Inputs['unsubscribe'],
): Outputs['unsubscribe'] {
  const database = guarded(host, guard);
  host.subscriptions.delete(name);
  if (hand && database !== undefined) database.mark = undefined;
  return {};
}

export function unpublish({ host }: Scene, { guard, name }: Inputs['unpublish']): Outputs['unpublish'] {
  guarded(host, guard);
  host.slots.delete(name);
  host.publications.delete(name);
  return {};
}

/** The source's part of the end: slot and publication go, and the closed database takes a name of ours, for good. */
export function retain(scene: Scene, { guard, stream, name, mark }: Inputs['retain']): Outputs['retain'] {
  const { host } = scene;
  const database = held(host, guard);
  if (database.access === 'open') {
    throw refuse('fail', 'source-open', `"${database.name}" on ${host.name} is open`, 'close it first');
  }
  // A source that was away when it should have been closed for good is so from now on.
  database.access = 'closed-for-good';
  delete database.closedBy;
  unpublish(scene, { guard, name: stream });
  database.name = name;
  database.mark = mark;
  return {};
}

/** Drops by identity: the server, the database's own number, our mark on it, and the host token. */
export function dropDatabase(
  { host }: Scene,
  { guard, mark }: Inputs['drop-database'],
): Outputs['drop-database'] {
  const database = guarded(host, guard);
  if (database === undefined) return {};
  if (!isSameMark(database.mark, mark) || database.access === 'open') {
    throw refuse(
      'fail',
      'not-ours',
      `"${database.name}" (${String(database.oid)}) on ${host.name} does not carry the mark of this move, or serves`,
      'look at it; drop it by hand if nobody needs it',
    );
  }
  const inUse = [...host.subscriptions.values()].some(({ oid }) => oid === database.oid);
  if (inUse || [...host.slots.values()].some(({ oid }) => oid === database.oid)) {
    throw refuse(
      'retry',
      'database-in-use',
      `replication still uses "${database.name}" on ${host.name}`,
      'it is tried again by itself',
    );
  }
  host.databases.delete(database.oid);
  endSessions(host, ({ oid }) => oid === database.oid);
  return {};
}

export function requireSession({ host, link }: Scene, database: Database): void {
  for (const session of host.sessions.values()) {
    if (session.oid === database.oid && session.link === link && session.token !== undefined) return;
  }
  throw refuse(
    'session-lost',
    'session-lost',
    `the session into the fenced database "${database.name}" on ${host.name} is gone`,
    'it is thawed and fenced again by itself',
  );
}

function refuseIfClosedForGood(host: string, { name, access }: Database): void {
  if (access !== 'closed-for-good') return;
  throw refuse(
    'fail',
    'fenced-for-good',
    `"${name}" on ${host} was closed for good by a cutover`,
    'nothing to do: the endpoint serves from its new host',
  );
}

function taken(host: string, name: string): Error {
  return refuse(
    'fail',
    'target-database-exists',
    `${host} already has a database "${name}"`,
    'drop or rename it, or choose another target',
  );
}
