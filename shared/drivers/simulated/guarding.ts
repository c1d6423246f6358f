import { endSessions, isSameMark, marked, named, refuse, type Database, type Host } from './host.ts';
import type { Guard } from './protocol.ts';

/**
 * The database that a guarded effect is for, once identity and host token are compared. The token is raised to
 * the effect's, and whoever was inside under an older one is put out, in the same instant.
 *
 * @returns undefined when there is no such database (any more)
 */
export function guarded(host: Host, guard: Guard): Database | undefined {
  checkIdentity(host, guard.system);
  const database = find(host, guard.database);
  if (database === undefined) return undefined;
  if (database.token > guard.token) {
    throw refuse(
      'superseded',
      'token-superseded',
      `the database "${database.name}" on ${host.name} is held under token ${String(database.token)}, newer than ${String(guard.token)}`,
      'nothing to do: a newer worker goes on',
    );
  }
  if (database.token < guard.token) {
    database.token = guard.token;
    endSessions(host, ({ oid, token }) => oid === database.oid && token !== undefined && token < guard.token);
  }
  return database;
}

/** The same where there must be one. */
export function held(host: Host, guard: Guard): Database {
  const database = guarded(host, guard);
  if (database !== undefined) return database;
  throw refuse(
    'fail',
    'database-missing',
    `${host.name} has no such database any more (${JSON.stringify(guard.database)})`,
    'somebody dropped it: restore it, or take the endpoint out of the registry',
  );
}

/** @throws Refusal `identity-mismatch` when this is another server than the one that was meant */
export function checkIdentity(host: Host, system: string): void {
  if (host.system === system) return;
  throw refuse(
    'fail',
    'identity-mismatch',
    `${host.name} is the server ${host.system}, not ${system}`,
    'correct the address of the host, or register the new server under a name of its own',
  );
}

function find(host: Host, which: Guard['database']): Database | undefined {
  if ('oid' in which) return host.databases.get(which.oid);
  if ('serving' in which) {
    // By its own name first: a worker that was stopped may have made another under our mark meanwhile.
    const serving = named(host, which.serving);
    if (serving?.access === 'open' || isSameMark(serving?.mark, which.mark)) return serving;
  }
  return marked(host, which.mark);
}
