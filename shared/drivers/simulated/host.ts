import type { Behaviour } from './behaviour.ts';
import type { Mark, RefusalBody } from './protocol.ts';

/** One acknowledged change. `id` comes from the database's sequence, which replication does not carry. */
export interface Row {
  readonly id: number;
  readonly writer: string;
  readonly seq: number;
  /** Epoch milliseconds of its commit. */
  readonly at: number;
}

/** A database is its log: rows in the order of their commits. */
export interface Database {
  readonly oid: number;
  name: string;
  readonly owner: string;
  /** What it stores beside its rows. */
  bytes: number;
  schema: string;
  readonly extensions: readonly string[];
  /** Tables without a key. */
  readonly keyless: readonly string[];
  access: 'open' | 'closed' | 'closed-for-good';
  /** Who has closed it for good, and may open it again; absent once it is retained. */
  closedBy?: { readonly token: number; readonly link: string };
  mark: Mark | undefined;
  readonly rows: Row[];
  /** How many of the rows survive a crash of the host. */
  durable: number;
  sequence: number;
  /** The host token: the newest right under which this database was touched. */
  token: number;
  probes: number;
}

export interface Slot {
  readonly name: string;
  readonly oid: number;
  readonly start: number;
  /** The reader says that everything before this position is safe with it. */
  confirmed: number;
}

export interface Subscription {
  readonly name: string;
  readonly oid: number;
  readonly source: string;
  readonly slot: string;
  state: 'copying' | 'applying';
  copiedBytes: number;
  totalBytes: number;
  copiedRows: number;
  /** Positions in the source's log: applied, and applied for good. */
  applied: number;
  flushed: number;
  flushedAt: number;
  advancedAt: number;
  /** Part of a row or byte that the last advance could not use. */
  carry: number;
}

/** A connection that is inside a database: of a mover, or of a client in a transaction. */
export interface Session {
  readonly id: string;
  readonly link: string;
  readonly oid: number;
  /** The mover's token; undefined for a client. */
  readonly token: number | undefined;
  readonly write: { readonly writer: string; readonly seq: number } | undefined;
}

/** Everything that one simulated server knows. */
export interface Host {
  readonly name: string;
  readonly system: string;
  readonly password: string | undefined;
  behaviour: Behaviour;
  nextOid: number;
  nextSession: number;
  readonly databases: Map<number, Database>;
  readonly slots: Map<string, Slot>;
  /** By name, the oid of the database. */
  readonly publications: Map<string, number>;
  readonly subscriptions: Map<string, Subscription>;
  readonly sessions: Map<string, Session>;
  /** Copies of closed databases on their way here, by the oid they go into. */
  readonly pulls: Map<number, { readonly copiedBytes: number; readonly advancedAt: number }>;
  /** How often each injected fault has struck. */
  readonly struck: Map<string, number>;
}

export interface HostSpec {
  readonly name: string;
  /** Identity of the server; by default made from the name. */
  readonly system?: string;
  readonly password?: string;
  readonly behaviour?: Behaviour;
}

export function createHost(spec: HostSpec): Host {
  return {
    name: spec.name,
    system: spec.system ?? `sim-${spec.name}`,
    password: spec.password,
    behaviour: spec.behaviour ?? {},
    nextOid: 16_384,
    nextSession: 1,
    databases: new Map(),
    slots: new Map(),
    publications: new Map(),
    subscriptions: new Map(),
    sessions: new Map(),
    pulls: new Map(),
    struck: new Map(),
  };
}

export interface DatabaseSpec {
  readonly name: string;
  readonly owner?: string;
  readonly bytes?: number;
  /** How many rows it begins with. */
  readonly rows?: number;
  readonly schema?: string;
  readonly extensions?: readonly string[];
  readonly keyless?: readonly string[];
}

/** A database that serves. */
export function addDatabase(host: Host, spec: DatabaseSpec, now: number): Database {
  if (named(host, spec.name) !== undefined)
    throw new RangeError(`${host.name} already has a database "${spec.name}"`);
  const rows = Array.from({ length: spec.rows ?? 0 }, (_, index) => ({
    id: index + 1,
    writer: 'first',
    seq: index + 1,
    at: now,
  }));
  const database: Database = {
    oid: host.nextOid++,
    name: spec.name,
    owner: spec.owner ?? 'owner',
    bytes: spec.bytes ?? 8192,
    schema: spec.schema ?? 'schema-1',
    extensions: spec.extensions ?? [],
    keyless: spec.keyless ?? [],
    access: 'open',
    mark: undefined,
    rows,
    durable: rows.length,
    sequence: rows.length,
    token: 0,
    probes: 0,
  };
  host.databases.set(database.oid, database);
  return database;
}

export function named(host: Host, name: string): Database | undefined {
  for (const database of host.databases.values()) if (database.name === name) return database;
  return undefined;
}

export function marked(host: Host, mark: Mark): Database | undefined {
  for (const database of host.databases.values()) if (isSameMark(database.mark, mark)) return database;
  return undefined;
}

export function isSameMark(one: Mark | undefined, other: Mark): boolean {
  return one?.move === other.move && one.run === other.run && one.installation === other.installation;
}

/** What one change weighs. */
export const rowBytes = 100;

export function sizeOf(database: Database): number {
  return database.bytes + database.rows.length * rowBytes;
}

export function usedBytes(host: Host): number {
  let sum = 0;
  for (const database of host.databases.values()) sum += sizeOf(database);
  return sum;
}

/** A synchronous commit: all rows so far survive a crash, and so does what the subscription knows of them. */
export function harden(host: Host, database: Database): void {
  database.durable = database.rows.length;
  for (const subscription of host.subscriptions.values()) {
    if (subscription.oid === database.oid) subscription.flushed = subscription.applied;
  }
}

/** Ends the sessions that `which` names. @returns how many */
export function endSessions(host: Host, which: (session: Session) => boolean): number {
  let ended = 0;
  for (const session of [...host.sessions.values()]) {
    if (!which(session)) continue;
    host.sessions.delete(session.id);
    ended += 1;
  }
  return ended;
}

/** The host says no. The effect did not happen; a newer token stays raised. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly body: RefusalBody;

  constructor(body: RefusalBody) {
    super(`${body.code}: ${body.sentence}`);
    this.body = body;
  }
}

export function refuse(
  verdict: RefusalBody['verdict'],
  code: string,
  sentence: string,
  cure: string,
): Refusal {
  return new Refusal({ verdict, code, sentence, cure });
}
