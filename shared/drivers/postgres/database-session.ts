import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import { PostgresFailure, postgresFailure } from './failures.ts';
import type { FailureContext } from './failures.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { SqlValue } from './values.ts';
import { takeWire } from './wire.ts';
import type { Wire } from './wire.ts';

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
  /** The server answers the COMMIT only when it, and all commits before it, are on its disk. */
  readonly durable?: boolean;
}

/**
 * One connection, used by one flow of work at a time. Statements that are started together run one after
 * the other. Every error is a `PostgresFailure`; an error while nothing runs closes the session silently,
 * and the next use of it says so.
 */
export class Session {
  readonly server: string;
  readonly database: string;
  readonly #client: pg.Client;
  readonly #context: FailureContext;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #answerMs: () => number | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #lost: Error | undefined;
  #closed = false;
  #inTransaction = false;
  #version = 0;
  #pid = 0;
  #user = '';

  constructor(
    client: pg.Client,
    context: FailureContext & { database: string },
    signal?: AbortSignal,
    answerMs: () => number | undefined = () => undefined,
  ) {
    this.#answerMs = answerMs;
    this.#client = client;
    this.#context = context;
    this.server = context.server;
    this.database = context.database;
    this.#signal = signal;
    this.#onAbort = () => this.destroy();
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    client.on('end', () => {
      this.#lost ??= new Error('Connection terminated');
    });
  }

  /** For `connect` only: connects, and asks who answered. */
  async open(): Promise<void> {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    try {
      await this.#client.connect();
      const [who] = await this.query(
        `SELECT pg_catalog.pg_backend_pid() AS pid, current_user::text AS user,
                pg_catalog.current_setting('server_version_num')::int AS version`,
        [],
        z.object({ pid: z.int(), user: z.string(), version: z.int() }),
      );
      this.#pid = who?.pid ?? 0;
      this.#user = who?.user ?? '';
      this.#version = who?.version ?? 0;
      // With it the server notices within a second that we are gone, and ends a long statement of ours.
      await this.#client.query('SET client_connection_check_interval = 1000').catch(() => undefined);
    } catch (error) {
      await this.close();
      throw this.#failure(error);
    }
  }

  /** `server_version_num`, e.g. 150018. */
  get versionNumber(): number {
    return this.#version;
  }

  /** e.g. 15. */
  get major(): number {
    return Math.floor(this.#version / 10_000);
  }

  /** The process id of our backend. */
  get pid(): number {
    return this.#pid;
  }

  /** The role that we connected as. */
  get user(): string {
    return this.#user;
  }

  /** False once the connection is lost, aborted or closed. */
  get usable(): boolean {
    return !this.#closed && this.#lost === undefined;
  }

  /** Runs one statement and parses each row. `params` are `$1…`. */
  async query<Row>(sql: string, params: readonly SqlValue[], row: z.ZodType<Row>): Promise<Row[]> {
    const result = await this.#run(sql, params);
    const parsed = z.array(row).safeParse(result.rows);
    if (parsed.success) return parsed.data;
    throw new PostgresFailure(
      {
        code: 'unexpected-answer',
        sentence: `${this.server} answered in another shape than expected: ${z.prettifyError(parsed.error)}`,
        cure: 'Check that it is a PostgreSQL server of version 15 to 18; else report it.',
      },
      'fail',
    );
  }

  /** As `query`, for exactly one row. */
  async one<Row>(sql: string, params: readonly SqlValue[], row: z.ZodType<Row>): Promise<Row> {
    const [first, ...others] = await this.query(sql, params, row);
    if (first !== undefined && others.length === 0) return first;
    throw new PostgresFailure(
      {
        code: 'unexpected-answer',
        sentence: `${this.server} answered with ${first === undefined ? 'no row' : 'several rows'} where one is due.`,
        cure: 'The object may have been dropped meanwhile; if not, report it.',
      },
      'retry',
    );
  }

  /** As `query`, for at most one row. */
  async maybeOne<Row>(
    sql: string,
    params: readonly SqlValue[],
    row: z.ZodType<Row>,
  ): Promise<Row | undefined> {
    const [first] = await this.query(sql, params, row);
    return first;
  }

  /**
   * Runs a statement for its effect; returns the rows it touched. Without `params` the text may hold several
   * statements: the server then runs them in one implicit transaction, unless they say BEGIN and COMMIT.
   */
  async execute(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return (await this.#run(sql, params)).touched;
  }

  /**
   * BEGIN, `work`, COMMIT; ROLLBACK when it throws. Use this very session inside. Does not nest.
   * A connection lost during COMMIT leaves the outcome unknown: look before doing it again.
   */
  async transaction<T>(work: (session: Session) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#inTransaction) throw new RangeError('a transaction of this session is still open');
    this.#inTransaction = true;
    try {
      const isolation = (options.isolation ?? 'read committed').toUpperCase();
      await this.execute(
        `BEGIN ISOLATION LEVEL ${isolation} ${options.readOnly === true ? 'READ ONLY' : 'READ WRITE'}${
          options.durable === true ? '; SET LOCAL synchronous_commit = on' : ''
        }`,
      );
      try {
        const result = await work(this);
        if (this.#client.getTransactionStatus() === 'E') {
          throw new RangeError('a statement of this transaction failed and the failure was not passed on');
        }
        await this.execute('COMMIT');
        return result;
      } catch (error) {
        if (this.usable) await this.execute('ROLLBACK').catch(() => undefined);
        throw error;
      }
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Sets settings for this session, e.g. `{ lock_timeout: '0' }`. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    const commands = Object.entries(settings).map(
      ([name, value]) => `SET ${name.split('.').map(quoteIdentifier).join('.')} = ${quoteLiteral(value)}`,
    );
    if (commands.length > 0) await this.execute(commands.join('; '));
  }

  /**
   * The authenticated socket itself, for COPY and for a foreign client of the protocol. Nothing else runs on
   * the session until the wire is given back.
   */
  async wire(): Promise<Wire> {
    let release: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = this.#tail;
    this.#tail = ended;
    await before.catch(() => undefined);
    try {
      this.#assertUsable();
      return await takeWire(this.#client, () => release?.());
    } catch (error) {
      release?.();
      throw this.#failure(error);
    }
  }

  /** Any error met while using this session, with its server and database named. */
  failure(error: unknown): Error {
    return this.#failure(error);
  }

  /** Cuts the connection at once. A statement that runs fails; the server ends it within a second or so. */
  destroy(): void {
    this.#lost ??= new Error('Connection terminated');
    this.#client.connection.stream.destroy();
  }

  /** Says goodbye and waits until the socket is closed. Never throws; safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const { stream } = this.#client.connection;
    const timer = new AbortController();
    const late = delay(1000, undefined, { signal: timer.signal }).then(
      () => stream.destroy(),
      () => undefined,
    );
    if (stream.destroyed) {
      timer.abort();
    } else {
      await Promise.race([this.#client.end().catch(() => undefined), late]);
      timer.abort();
      stream.destroy();
    }
    await late;
  }

  async #run(sql: string, params: readonly SqlValue[]): Promise<{ rows: unknown[]; touched: number }> {
    const turn = this.#tail
      .catch(() => undefined)
      .then(async () => {
        this.#assertUsable();
        const values = params.map(bindable);
        return await this.#answered(
          values.length === 0 ? this.#client.query(sql) : this.#client.query(sql, values),
        );
      });
    this.#tail = turn.catch(() => undefined);
    try {
      const answer: unknown = await turn;
      const last = resultShape.parse(Array.isArray(answer) ? answer.at(-1) : answer);
      return { rows: last.rows, touched: last.rowCount ?? 0 };
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Cuts the connection when the answer is late: whoever waits for it keeps others waiting. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    const limit = this.#answerMs();
    if (limit === undefined) return await answer;
    const inTime = new AbortController();
    const late = delay(limit, undefined, { signal: inTime.signal }).then(
      () => {
        const silence = new Error('Query read timeout');
        this.#lost ??= silence;
        this.#client.connection.stream.destroy();
        throw silence;
      },
      () => answer,
    );
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      inTime.abort();
      late.catch(() => undefined);
    }
  }

  #assertUsable(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed) throw new Error('Connection terminated');
  }

  #failure(error: unknown): Error {
    if (this.#signal?.aborted === true && !(error instanceof StepFailure)) {
      const reason: unknown = this.#signal.reason;
      return reason instanceof Error ? reason : new Error('aborted');
    }
    return postgresFailure(error, this.#context);
  }
}

const resultShape = z.object({ rows: z.array(z.unknown()), rowCount: z.number().nullable() });

function bindable(value: SqlValue): unknown {
  if (typeof value === 'bigint') return value.toString();
  return Array.isArray(value) ? value.map(bindable) : value;
}
