import { endSessions, harden, named, refuse, type Database, type Host } from './host.ts';
import type { Scene } from './scene.ts';
import type { Inputs, Outputs } from './protocol.ts';

/** A change by a tenant's application, acknowledged and durable when it returns. */
export function write({ host, now }: Scene, { database, writer, seq }: Inputs['write']): Outputs['write'] {
  return { id: store(host, accepting(host, database), { writer, seq }, now) };
}

/** An open transaction: its session is inside the database until it commits or is put out. */
export function begin({ host, link }: Scene, { database, writer, seq }: Inputs['begin']): Outputs['begin'] {
  const { oid } = accepting(host, database);
  const id = `s${String(host.nextSession++)}`;
  host.sessions.set(id, { id, link, oid, token: undefined, write: { writer, seq } });
  return { transaction: id };
}

export function commit({ host, now }: Scene, { transaction }: Inputs['commit']): Outputs['commit'] {
  const session = host.sessions.get(transaction);
  const database = session === undefined ? undefined : host.databases.get(session.oid);
  if (session?.write === undefined || database === undefined) {
    throw refuse(
      'retry',
      'transaction-aborted',
      'the session was ended, and its transaction with it',
      'find the endpoint by its name and try again',
    );
  }
  host.sessions.delete(transaction);
  return { id: store(host, database, session.write, now) };
}

export function rows({ host }: Scene, { database: name }: Inputs['rows']): Outputs['rows'] {
  const database = named(host, name);
  if (database === undefined) throw missing(host, name);
  return { rows: database.rows.map((row) => ({ ...row })) };
}

/** A tenant's migration. */
export function changeSchema(
  { host }: Scene,
  { database, schema }: Inputs['change-schema'],
): Outputs['change-schema'] {
  accepting(host, database).schema = schema;
  return {};
}

/** As by an operator: everybody out of a database, which stays as it is. */
export function cutSessions(
  { host }: Scene,
  { database: name }: Inputs['cut-sessions'],
): Outputs['cut-sessions'] {
  const database = named(host, name);
  if (database === undefined) throw missing(host, name);
  return { ended: endSessions(host, ({ oid }) => oid === database.oid) };
}

function accepting(host: Host, name: string): Database {
  const database = named(host, name);
  if (database === undefined) throw missing(host, name);
  if (database.access === 'open') return database;
  throw refuse(
    'retry',
    'not-accepting',
    `"${name}" on ${host.name} accepts no connections`,
    'find the endpoint by its name and try again',
  );
}

function store(
  host: Host,
  database: Database,
  change: { readonly writer: string; readonly seq: number },
  now: number,
): number {
  if (host.behaviour.diskFull === true)
    throw refuse('retry', 'disk-full', `the disk of ${host.name} is full`, 'make room');
  const id = database.sequence + 1;
  // A sequence that did not come along with the rows gives numbers out twice.
  if (id <= (database.rows.at(-1)?.id ?? 0)) {
    throw refuse(
      'fail',
      'duplicate-key',
      `the number ${String(id)} is taken in "${database.name}" on ${host.name}`,
      'set the sequence',
    );
  }
  database.sequence = id;
  database.rows.push({ id, ...change, at: now });
  harden(host, database);
  return id;
}

function missing(host: Host, name: string): Error {
  return refuse('fail', 'database-missing', `${host.name} has no database "${name}"`, 'correct the name');
}
