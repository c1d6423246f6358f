/**
 * Live writers: clients of the tenants that write without pause, reconnect when they are refused, and know of
 * each line that they wrote whether it is committed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { z } from 'zod';
import { Recorder, amountOf } from './history.ts';
import type { Gap, WriterHistory } from './history.ts';
import { asRefusal, closeSession, Connections } from './session.ts';
import type { Locate, Refusal } from './session.ts';
import type { Tenant } from './tenants.ts';

export interface WritersOptions {
  readonly locate: Locate;
  /** Writers of each tenant; default 2. */
  readonly perTenant?: number;
  /** Transactions a second that each writer aims at; default 15. */
  readonly rate?: number;
}

/** How many transactions are of several statements, with a BEGIN and a COMMIT of their own: one in this many. */
const EXPLICIT_EVERY = 10;
/**
 * A refused writer tries again at once, for the time that a move takes from it; one that is refused for longer
 * gives way, because each try costs the server a process.
 */
const EAGER_TRIES = 20;
const LONGEST_BACKOFF_MS = 500;
/** How long, in milliseconds, a writer that has to end may look for the fate of its last line. */
const RESOLVE_LIMIT_MS = 15_000;

const counterRow = z.object({ seq: z.coerce.number(), attempt: z.string() });

/** Milliseconds since the epoch, with fractions, never stepping back. */
const now = (): number => performance.timeOrigin + performance.now();

class Writer {
  readonly recorder: Recorder;
  readonly #connections: Connections;
  readonly #number: number;
  readonly #intervalMs: number;
  #client: pg.Client | undefined;
  /** Tries of the next line whose fate is not known. */
  readonly #open = new Set<string>();
  #tries = 0n;
  /** Refusals since the last commit. */
  #refused = 0;
  readonly #era = BigInt(Math.floor(now())) * 1_000_000n;

  constructor(connections: Connections, number: number, intervalMs: number) {
    this.#connections = connections;
    this.#number = number;
    this.#intervalMs = intervalMs;
    this.recorder = new Recorder(number);
  }

  async run(ended: AbortSignal): Promise<WriterHistory> {
    let begun = false;
    let next = performance.now() + Math.random() * this.#intervalMs;
    while (!ended.aborted) {
      try {
        if (this.#client === undefined) {
          await this.#connect(!begun);
          begun = true;
        }
        await this.#write();
      } catch (error) {
        await this.#recover(asRefusal(error));
        continue;
      }
      next = Math.max(next + this.#intervalMs, performance.now());
      await pause(next - performance.now(), ended);
    }
    return this.#end();
  }

  /** A careful client looks where it stands before it goes on. */
  async #connect(first: boolean): Promise<void> {
    const client = await this.#connections.open();
    try {
      await this.#look(client, first);
      this.#client = client;
    } catch (error) {
      closeSession(client);
      throw error;
    }
  }

  async #look(client: pg.Client, first: boolean): Promise<void> {
    // The lock waits for a try of ours that may still be under way.
    const answer = await client.query(
      'SELECT seq, attempt FROM ledger.counter WHERE writer = $1 FOR UPDATE',
      [this.#number],
    );
    const { seq, attempt } = counterRow.parse(answer.rows[0]);
    if (first) {
      this.recorder.adopt(seq);
      return;
    }
    const next = this.recorder.lines + 1;
    if (this.#open.size > 0) this.recorder.resolve(next, seq === next && this.#open.has(attempt), now());
    this.#open.clear();
    if (seq < this.recorder.lines) this.recorder.deny(seq);
    if (seq > this.recorder.lines)
      throw new Error(`another client writes as writer ${this.#number.toString()}`);
  }

  async #write(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const line = this.recorder.lines + 1;
    this.#tries += 1n;
    const attempt = (this.#era + this.#tries).toString();
    const write = {
      name: 'write',
      text: 'SELECT ledger.write($1, $2, $3, $4)',
      values: [this.#number, line, amountOf(this.#number, line), attempt],
    };
    if (line % EXPLICIT_EVERY === 0) {
      await client.query('BEGIN');
      await client.query(write);
      this.#open.add(attempt);
      await client.query('COMMIT');
    } else {
      this.#open.add(attempt);
      await client.query(write);
    }
    this.#open.clear();
    this.recorder.acknowledge(line, now());
    this.#refused = 0;
  }

  async #recover(refusal: Refusal): Promise<void> {
    // The server says that it rolled back: there is nothing to look for.
    if (refusal.rolledBack) this.#open.clear();
    this.recorder.refuse(refusal.code, refusal.message);
    if (this.#client !== undefined) closeSession(this.#client);
    this.#client = undefined;
    this.#refused += 1;
    const patience = 1.3 ** Math.max(0, this.#refused - EAGER_TRIES);
    await sleep(Math.min(LONGEST_BACKOFF_MS, (5 + Math.random() * 15) * patience));
  }

  async #end(): Promise<WriterHistory> {
    const deadline = performance.now() + RESOLVE_LIMIT_MS;
    while (this.#open.size > 0 && performance.now() < deadline) {
      try {
        await this.#connect(false);
      } catch (error) {
        const refusal = asRefusal(error);
        this.recorder.refuse(refusal.code, refusal.message);
        await sleep(20);
      }
    }
    await this.#client?.end().catch(() => undefined);
    return this.recorder.history(this.#open.size > 0 ? this.recorder.lines + 1 : undefined);
  }
}

async function pause(ms: number, ended: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal: ended }).catch(() => undefined);
}

/** What the writers of one tenant have done so far. */
export interface TenantTally {
  readonly endpoint: string;
  readonly lines: number;
  /** Refusals of every kind, all expected ones included. */
  readonly refusals: number;
}

/** All writers of some tenants, in this process. */
export class Writers {
  readonly #writers: ReadonlyMap<string, readonly Writer[]>;
  readonly #runs: ReadonlyMap<string, Promise<WriterHistory[]>>;
  readonly #ended = new AbortController();

  /** Starts at once. */
  constructor(tenants: readonly Tenant[], options: WritersOptions) {
    const intervalMs = 1000 / (options.rate ?? 15);
    this.#writers = new Map(
      tenants.map((tenant) => {
        const connections = new Connections(tenant, options.locate);
        const count = options.perTenant ?? 2;
        return [
          tenant.name,
          Array.from({ length: count }, (_, at) => new Writer(connections, at + 1, intervalMs)),
        ];
      }),
    );
    this.#runs = new Map(
      [...this.#writers].map(([name, writers]) => [
        name,
        Promise.all(writers.map((writer) => writer.run(this.#ended.signal))),
      ]),
    );
  }

  tally(): TenantTally[] {
    return [...this.#writers].map(([endpoint, writers]) => ({
      endpoint,
      lines: writers.reduce((sum, writer) => sum + writer.recorder.lines, 0),
      refusals: writers.reduce((sum, writer) => sum + writer.recorder.refused, 0),
    }));
  }

  /** Longest gap of each writer of an endpoint within a window (milliseconds since the epoch; default: until now). */
  longestGaps(endpoint: string, since: number, until = now()): Gap[] {
    return (this.#writers.get(endpoint) ?? []).map((writer) => writer.recorder.longestGap(since, until));
  }

  /** Lets every writer end its transaction and learn the fate of it. @returns histories by endpoint */
  async stop(): Promise<Map<string, WriterHistory[]>> {
    this.#ended.abort();
    const histories = new Map<string, WriterHistory[]>();
    for (const [name, run] of this.#runs) histories.set(name, await run);
    return histories;
  }
}
