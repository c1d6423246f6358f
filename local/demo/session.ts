/** A tenant's client: one connection to wherever its endpoint is now, found by name. */
import pg from 'pg';
import type { Tenant } from './tenants.ts';

/** Where an endpoint is served. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** Looks an endpoint up by its name; throws when it cannot be told now. */
export type Locate = (endpoint: string) => Promise<Place>;

/** Longest wait for a connection, and for an answer, in milliseconds. */
const CONNECT_LIMIT_MS = 2_000;
const ANSWER_LIMIT_MS = 10_000;

/** An error as a client sees it. */
export interface Refusal {
  /** SQLSTATE, the system's code, or one of ours: ECLOSED, ETIMEDOUT, ELOCATE. */
  readonly code: string;
  readonly message: string;
  /** The server said that this statement failed and that the session goes on: it did not commit. */
  readonly rolledBack: boolean;
}

/** Clients that ask for the same endpoint at the same moment share one answer. */
export function shareLocate(locate: Locate): Locate {
  const asked = new Map<string, Promise<Place>>();
  return (endpoint) => {
    const known = asked.get(endpoint);
    if (known !== undefined) return known;
    const answer = locate(endpoint).finally(() => asked.delete(endpoint));
    asked.set(endpoint, answer);
    return answer;
  };
}

/** Connects as the tenant's owner; throws what `asRefusal` understands. */
export async function openSession(tenant: Tenant, locate: Locate): Promise<pg.Client> {
  let place: Place;
  try {
    place = await locate(tenant.name);
  } catch (cause) {
    throw Object.assign(new Error(`${tenant.name} cannot be located: ${String(cause)}`, { cause }), {
      code: 'ELOCATE',
    });
  }
  const client = new pg.Client({
    host: place.host,
    port: place.port,
    database: place.database,
    ...tenant.owner,
    application_name: `writer of ${tenant.name}`.slice(0, 60),
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
  });
  // What breaks between two statements is seen by the next one.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    closeSession(client);
    throw cause;
  }
}

/** Drops a connection without waiting for the other side. */
export function closeSession(client: pg.Client): void {
  client.connection.stream.destroy();
}

/** What an error of node-postgres means to a client that cares. */
export function asRefusal(error: unknown): Refusal {
  if (!(error instanceof Error)) return { code: 'EUNKNOWN', message: String(error), rolledBack: false };
  const { message } = error;
  if (error instanceof pg.DatabaseError) {
    // FATAL ends the session, perhaps after its commit: that is a lost answer.
    return { code: error.code ?? 'EUNKNOWN', message, rolledBack: error.severity === 'ERROR' };
  }
  if ('code' in error && typeof error.code === 'string')
    return { code: error.code, message, rolledBack: false };
  if (/timeout/i.test(message)) return { code: 'ETIMEDOUT', message, rolledBack: false };
  if (/terminated|closed|not queryable|ended/i.test(message))
    return { code: 'ECLOSED', message, rolledBack: false };
  return { code: 'UNKNOWN', message, rolledBack: false };
}
