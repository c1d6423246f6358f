import * as z from 'zod';
import { SessionLost, StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { HostSite, MoveJob } from '../../ports/driver.ts';
import { siteAddress } from './address.ts';
import type { SiteAddress } from './address.ts';
import { connect } from './connection.ts';
import type { Session } from './connection.ts';
import { applicationName } from './names.ts';
import { checkToken, ensureTokenTable, restToken, takeToken, underToken } from './token.ts';
import type { TokenHolder } from './token.ts';
import { wholeNumber } from './values.ts';

/** For what must not come back after a crash, or must not be lost in one. */
export const durable = { synchronous_commit: 'on' };

export interface OpenOptions {
  readonly lockTimeoutMs?: number;
  /** What runs in it goes on when we are gone, also when a newer worker takes over: for what harms nobody. */
  readonly outlives?: true;
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * One worker's connections to one of the two hosts of its move. Everything is opened when first needed and
 * closed by `close`; nothing is pooled and nothing reconnects by itself.
 *
 * A session inside a database is handed out only after the host token was compared **after** it was opened:
 * a takeover raises the token and then ends the sessions it sees, so one that it could not see is never used.
 */
export class Hands {
  readonly site: HostSite;
  readonly address: SiteAddress;
  readonly holder: TokenHolder;
  readonly #job: MoveJob;
  readonly #lockTimeoutMs: number;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #sessions = new Map<string, Session>();
  readonly #opening = new Map<string, Promise<Session>>();
  readonly #holding = new Map<number, Promise<void>>();
  readonly #held = new Set<number>();
  #systemIdentifier: string | undefined;
  /** Milliseconds in which every statement must be answered, while writers wait for us. */
  answerMs: number | undefined;

  /**
   * @param lockTimeoutMs how long our statements may stand before others in a queue for a lock
   * @param settings of every session inside a database
   */
  constructor(
    job: MoveJob,
    site: HostSite,
    lockTimeoutMs: number,
    settings: Readonly<Record<string, string>> = {},
  ) {
    this.site = site;
    this.address = siteAddress(site);
    this.holder = {
      installation: job.installation,
      move: job.move,
      token: job.token,
      epoch: job.epoch,
    };
    this.#job = job;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#settings = settings;
  }

  /** The session in the maintenance database. Sessions of different `purpose` may be used at once. */
  async maintenance(purpose = 'main'): Promise<Session> {
    return await this.#keep(`maintenance ${purpose}`, this.address.maintenance, {});
  }

  /** Raises the host token of a database to ours, once, and ends every session of a former worker. */
  async hold(database: number): Promise<void> {
    if (this.#held.has(database)) return;
    const holding =
      this.#holding.get(database) ?? this.#take(database).finally(() => this.#holding.delete(database));
    this.#holding.set(database, holding);
    await holding;
  }

  async #take(database: number): Promise<void> {
    const maintenance = await this.maintenance();
    await ensureTokenTable(maintenance, this.holder.installation);
    await takeToken(maintenance, database, this.holder);
    this.#held.add(database);
  }

  /** A session inside a database that we hold. Kept: the same `purpose` gives the same session. */
  async inside(database: number, purpose: string, options: OpenOptions = {}): Promise<Session> {
    await this.hold(database);
    const key = `${String(database)} ${purpose}`;
    const known = this.#sessions.get(key);
    if (known?.usable === true) return known;
    return await this.#keep(key, await this.nameOf(database), options);
  }

  /** As `inside`, but only a session that was opened before. @throws SessionLost when it is gone */
  insideStill(database: number, purpose: string): Session {
    this.#job.signal.throwIfAborted();
    const session = this.#sessions.get(`${String(database)} ${purpose}`);
    if (session?.usable === true) return session;
    throw new SessionLost(`the session into the fenced database at ${this.site.host} is gone`);
  }

  /** The process ids of our own sessions: who may stay in a database that is emptied. */
  pids(): number[] {
    return [...this.#sessions.values()].filter(({ usable }) => usable).map(({ pid }) => pid);
  }

  /** Locks and compares the host token, and runs `effect` in the same transaction. */
  async underToken<T>(
    database: number,
    effect: (tx: Session, name: string, closedBy: number | undefined) => Promise<T>,
  ): Promise<T> {
    await this.hold(database);
    return await underToken(await this.maintenance(), database, this.holder, async (tx, closedBy) => {
      const name = await databaseName(tx, database, this.site.host);
      return await effect(tx, name, closedBy);
    });
  }

  async nameOf(database: number): Promise<string> {
    return await databaseName(await this.maintenance(), database, this.site.host);
  }

  /** The server's own unchangeable identity. */
  async systemIdentifier(): Promise<string> {
    this.#systemIdentifier ??= await readSystemIdentifier(await this.maintenance());
    return this.#systemIdentifier;
  }

  /** Has a newer worker taken over? Asked over a new connection, since ours may have been ended for it. */
  async isSuperseded(): Promise<boolean> {
    if (this.#held.size === 0 || this.#job.signal.aborted) return false;
    try {
      await checkToken(await this.maintenance(), [...this.#held], this.holder);
      return false;
    } catch (error) {
      return error instanceof TokenSuperseded;
    }
  }

  /** A look without a lock: the host answers, and the token is ours. @throws TokenSuperseded */
  async assertHolds(database: number): Promise<void> {
    await this.hold(database);
    await checkToken(await this.maintenance(), [database], this.holder);
  }

  /** Nothing of ours is inside a database any more. */
  async rest(database: number): Promise<void> {
    if (this.#held.has(database)) await restToken(await this.maintenance(), database, this.holder);
  }

  /** The database is gone: its token is asked for no more. */
  release(database: number): void {
    this.#held.delete(database);
  }

  /** Closes the sessions inside a database, so that it can be renamed or dropped. */
  async leave(database: number): Promise<void> {
    const mine = [...this.#sessions].filter(([key]) => key.startsWith(`${String(database)} `));
    for (const [key] of mine) this.#sessions.delete(key);
    await Promise.all(mine.map(async ([, session]) => session.close()));
  }

  /** Never throws. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    const all = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(all.map(async (session) => session.close()));
  }

  async #keep(key: string, database: string, options: OpenOptions): Promise<Session> {
    const known = this.#sessions.get(key);
    if (known?.usable === true) return known;
    // Two that ask at once get one session.
    const opening =
      this.#opening.get(key) ?? this.#open(key, database, options).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return await opening;
  }

  async #open(key: string, database: string, options: OpenOptions): Promise<Session> {
    await this.#sessions.get(key)?.close();
    this.#sessions.delete(key);
    this.#job.signal.throwIfAborted();
    const session = await connect(this.address, {
      database,
      applicationName: applicationName(this.#job, options.outlives === true ? 'build' : this.#job.token),
      lockTimeoutMs: options.lockTimeoutMs ?? this.#lockTimeoutMs,
      signal: this.#job.signal,
      answerMs: () => this.answerMs,
      ...(this.answerMs === undefined ? {} : { connectTimeoutMs: this.answerMs }),
      settings: database === this.address.maintenance ? {} : { ...this.#settings, ...options.settings },
    });
    this.#sessions.set(key, session);
    if (options.outlives === true) await session.set({ client_connection_check_interval: '0' });
    await this.#assertHolding(session, key);
    return session;
  }

  /** After opening, before use: whoever was taken over in between learns it here and does nothing. */
  async #assertHolding(session: Session, key: string): Promise<void> {
    if (this.#held.size === 0) return;
    const asked = session.database === this.address.maintenance ? session : await this.maintenance();
    try {
      await checkToken(asked, [...this.#held], this.holder);
    } catch (error) {
      this.#sessions.delete(key);
      await session.close();
      throw error;
    }
  }
}

/** The name that a database has just now; undefined when it is gone. */
export async function findDatabaseName(session: Session, oid: number): Promise<string | undefined> {
  const row = await session.maybeOne(
    'SELECT datname::text AS name FROM pg_catalog.pg_database WHERE oid = $1',
    [oid],
    z.object({ name: z.string() }),
  );
  return row?.name;
}

/** @throws StepFailure `database-gone` */
async function databaseName(session: Session, oid: number, host: string): Promise<string> {
  const name = await findDatabaseName(session, oid);
  if (name !== undefined) return name;
  throw new StepFailure(
    {
      code: 'database-gone',
      sentence: `The database with oid ${String(oid)} is no longer on host "${host}".`,
      cure: 'Somebody has dropped it. Look into the log of the server.',
    },
    'fail',
  );
}

/** The oid of a database by its name. */
export async function databaseOid(session: Session, name: string): Promise<number | undefined> {
  const row = await session.maybeOne(
    'SELECT oid::bigint AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
    z.object({ oid: wholeNumber }),
  );
  return row?.oid;
}

export async function readSystemIdentifier(session: Session): Promise<string> {
  const { id } = await session.one(
    'SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()',
    [],
    z.object({ id: z.string() }),
  );
  return id;
}
