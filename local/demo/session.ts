/** A tenant's client: one connection to wherever its endpoint is now, found by name. */
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Between two look-ups of a name that leads to a place that has refused, in milliseconds. */
const LOOK_AGAIN_MS = 15;
/** How long a place that has just refused is left alone, in milliseconds: longer each time, and anew elsewhere. */
const FIRST_WAIT_MS = 8;
const LONGEST_WAIT_MS = 100;

/**
 * The connections of one application, opened as its pool would: one at a time tries, the others share its outcome.
 * A try costs the server a process and a password's hash, and takes both from the very move that it waits for: who
 * was refused looks the name up again, which is cheap, and tries less and less often for as long as it leads there.
 */
export class Connections {
  readonly #tenant: Tenant;
  readonly #locate: Locate;
  #trial: Promise<Opened> | undefined;
  #refusing: { readonly place: Place; readonly waitMs: number; readonly until: number } | undefined;

  constructor(tenant: Tenant, locate: Locate) {
    this.#tenant = tenant;
    this.#locate = locate;
  }

  /** @throws what `asRefusal` understands */
  async open(): Promise<pg.Client> {
    if (this.#trial === undefined) {
      this.#trial = this.#try().finally(() => (this.#trial = undefined));
      return (await this.#trial).client;
    }
    const { place } = await this.#trial;
    return openSession(this.#tenant, place);
  }

  async #try(): Promise<Opened> {
    let place = await this.#find();
    while (this.#isRefusing(place)) {
      await sleep(LOOK_AGAIN_MS);
      place = await this.#find();
    }
    try {
      const client = await openSession(this.#tenant, place);
      this.#refusing = undefined;
      return { place, client };
    } catch (refusal) {
      const before = this.#refusing;
      const again = before !== undefined && samePlace(before.place, place);
      const waitMs = again ? Math.min(2 * before.waitMs, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
      this.#refusing = { place, waitMs, until: performance.now() + waitMs };
      throw refusal;
    }
  }

  async #find(): Promise<Place> {
    const { name } = this.#tenant;
    return this.#locate(name).catch((cause: unknown) => {
      throw Object.assign(new Error(`${name} cannot be located: ${String(cause)}`, { cause }), {
        code: 'ELOCATE',
      });
    });
  }

  #isRefusing(place: Place): boolean {
    const refusing = this.#refusing;
    return refusing !== undefined && samePlace(refusing.place, place) && performance.now() < refusing.until;
  }
}

function samePlace(one: Place, other: Place): boolean {
  return one.host === other.host && one.port === other.port && one.database === other.database;
}

interface Opened {
  readonly place: Place;
  readonly client: pg.Client;
}

/** Connects as the tenant's owner. */
async function openSession({ name, owner }: Tenant, { host, port, database }: Place): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    database,
    ...owner,
    application_name: `writer of ${name}`.slice(0, 60),
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
