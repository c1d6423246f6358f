import type { CleanupEntry } from '../domain/cleanup.ts';
import type { EndpointName, HostName, MoveId } from '../domain/ids.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { MovePolicy } from '../domain/policy.ts';
import type { StandingDatabase } from '../domain/stock.ts';
import type { HostNetworks } from './networks.ts';

/** A host as a driver needs it: addresses and credentials, resolved just now and kept nowhere. */
export interface HostSite {
  readonly host: HostName;
  /** The mover's way in, without a password: `postgres://user@host:5432/postgres?sslmode=…`. */
  readonly url: string;
  /** `host:port` by which the other hosts reach this one; by default that of `url`. */
  readonly replicationAddress: string;
  readonly password: string | undefined;
  /**
   * Asks for the password once more, past anything that is kept, because the host has refused the one that it was given:
   * it may have been rotated since. `password` is what it is now; the answer says whether that is another than `refused`.
   * Absent where there is no secret to ask for.
   * @throws StepFailure `secret-missing`; StoreUnavailable when nobody can say
   */
  readonly renewPassword?: ((refused: string | undefined) => Promise<boolean>) | undefined;
  /** Where the host may be: held against the url, and against what its name leads to at each connection. */
  readonly networks: HostNetworks;
  /** Free-form settings of the engine of data (for the simulated driver: its behaviour). */
  readonly options: JsonObject;
}

/** What a host has, read from the host itself; `undefined` where the engine has no such limit. */
export interface HostDescription {
  readonly version: string;
  /** The server's own unchangeable identity: two names for one server have the same. */
  readonly systemIdentifier: string;
  /** How many moves out of and into this host its slots, senders and workers allow at once. */
  readonly movesOut: number;
  readonly movesIn: number;
  readonly facts: JsonObject;
}

export interface DiscoveredEndpoint {
  readonly database: string;
  readonly owner: string;
  readonly sizeBytes: number;
}

/** Where a driver records what it makes and changes on hosts, before it does. */
export interface CleanupLedger {
  /** Durable when it resolves. Recording the same key again replaces it (e.g. once the oid is known). */
  record(host: HostName, items: readonly CleanupEntry[]): Promise<void>;
  /** Forget these keys: their things are proved gone. */
  forget(host: HostName, keys: readonly string[]): Promise<void>;
  /** What stands recorded for this move's run on `host` (consistent). */
  list(host: HostName): Promise<readonly CleanupEntry[]>;
}

/** One move's run as a driver sees it. */
export interface MoveJob {
  /** The deployed stage or laptop: stands in every name we create. At most 12 characters of [a-z0-9]. */
  readonly installation: string;
  readonly move: MoveId;
  /** From 1; a retry of the whole move is a new run with new names. */
  readonly run: number;
  readonly endpoint: EndpointName;
  /** Where the data is on the source, e.g. the database's name. */
  readonly database: string;
  readonly source: HostSite;
  readonly target: HostSite;
  /** Grows with every takeover of this endpoint's moves; compared on the hosts (the host token). */
  readonly token: number;
  /** The endpoint's epoch when this move claimed it. */
  readonly epoch: number;
  readonly policy: MovePolicy;
  /** What preflight recorded (settings to restore, mode, table plan, …); undefined before it has run. */
  readonly recorded: Json | undefined;
  readonly cleanup: CleanupLedger;
  /** Aborted when the lease is lost or the invocation must end: stop at once, start nothing. */
  readonly signal: AbortSignal;
  /** Milliseconds that remain until work must be at a safe point; steps that work long ask often. */
  readonly remainingMs: () => number;
  /** How far a step has come that works long: for people. */
  readonly show: (progress: Json) => void;
}

/**
 * The end of one call of a step.
 * - `done`: the step's result is reached (also if it was before)
 * - `wait`: nothing to do for `afterMs`; `on` says in a sentence what for, `code` is stable
 * - `continue`: stopped at a safe point because time was nearly over; call again with `progress`
 */
export type StepEnd =
  | { readonly kind: 'done'; readonly result?: Json }
  | {
      readonly kind: 'wait';
      readonly code: string;
      readonly on: string;
      readonly afterMs: number;
      readonly progress?: Json;
    }
  | { readonly kind: 'continue'; readonly progress: Json };

export interface PreflightFinding {
  readonly code: string;
  readonly severity: 'blocker' | 'action' | 'warning';
  readonly object?: string;
  readonly sentence: string;
  readonly cure: string;
}

export interface Preflight {
  readonly findings: readonly PreflightFinding[];
  /** Bytes that the target needs. */
  readonly sizeBytes: number;
  readonly mode: 'online' | 'offline';
  /** Small (under 100 KB when it can be; larger goes to a claim check): handed back as `job.recorded`. */
  readonly recorded: Json;
}

/** The source copy that stays, fenced and renamed, until it is retired. */
export interface RetainedCopy {
  readonly host: HostName;
  readonly database: string;
  readonly systemIdentifier: string;
  readonly oid: number;
}

/** Whatever was opened for a piece of work. */
export interface Closable {
  /** Closes every connection. Never throws; safe to call twice. */
  close(): Promise<void>;
}

/** What the steps before the freeze do on the hosts of a move. */
export interface TransferSession extends Closable {
  /** Changes nothing anywhere. */
  preflight(): Promise<Preflight>;
  /** Empty, closed database on the target under our name, schema and early keys, then its final name. */
  provision(progress: Json | undefined): Promise<StepEnd>;
  copy(progress: Json | undefined): Promise<StepEnd>;
  /** Remaining indexes, constraints, triggers, statistics; then apply until the lag is under the limit. */
  catchUp(progress: Json | undefined): Promise<StepEnd>;
  /** Online comparison by chunk; `done.result` is the report. Differences that stay throw. */
  verify(progress: Json | undefined): Promise<StepEnd>;
  /** A question that asks nothing of a host: how long it takes tells how the host is. */
  ping(side: 'source' | 'target'): Promise<void>;
}

/** Opens a frozen source again: a freeze that fails is thawed by whoever has made it, or by whoever undoes it. */
export interface ThawSession extends Closable {
  /** Undo of `fence`, from outside the database: restores the recorded settings. */
  unfence(): Promise<void>;
}

/** What the freeze and the steps up to the opening do. */
export interface CutoverSession extends ThawSession {
  /** How long would writers wait if the freeze came now? */
  predictPause(): Promise<{ readonly ms: number; readonly why: string }>;
  /** Fence and empty the source; the session into it stays open in this object. Returns with the barrier passed. */
  fence(): Promise<void>;
  /**
   * Marker, tail, sequences, leftovers, one synchronous commit on the target; `done.result` has the timings.
   * Offline moves copy here, and may need several invocations. @throws SessionLost
   */
  settle(progress: Json | undefined): Promise<StepEnd>;
  /** Final cheap equality and schema check while frozen. @throws SessionLost, StepFailure */
  confirm(): Promise<Json>;
  /**
   * The source stays closed for good, also for whoever would thaw it late; its database is kept. The target is
   * asked for a sign of life first: one that is down fails here, while there is still a way back. A failure
   * names its `host`.
   */
  fenceForGood(): Promise<void>;
  /** Open the target to clients with the recorded settings. */
  open(): Promise<void>;
  /** A write on the open target succeeds; asserts that nothing was written to the source after the freeze. */
  probe(): Promise<void>;
  /** After opening: subscriptions, slots, publications, markers and roles of the move go; the source is renamed. */
  release(): Promise<RetainedCopy>;
}

/** The end of what was kept. */
export interface RetireSession extends Closable {
  /** Drop the retained copy by identity. Nothing of ours is left on the source. */
  retire(copy: RetainedCopy): Promise<void>;
}

/** What the undos do. */
export interface RollbackSession extends ThawSession {
  /** Undo of `copy` and `catchUp`: subscriptions, slots, publications, markers, roles; restores settings. */
  dropReplication(): Promise<void>;
  /** Undo of `provision`: drops the target by identity, if it is ours. */
  dropTarget(): Promise<void>;
}

/**
 * One worker's hands on the two hosts of one move. Every method is idempotent: called again after a crash at
 * any point, by this worker or by the next, it reaches the same end. Every effect that freezes, thaws, opens,
 * fences or drops compares the host token in the transaction that makes it and throws `TokenSuperseded` when
 * a newer worker has taken over. Failures are thrown as `StepFailure`.
 *
 * The placement row is asked by the workflow, never here: a method does what its name says on the hosts.
 *
 * The function of a phase carries that phase's part of it alone.
 */
export interface MoveSession extends TransferSession, CutoverSession, RetireSession, RollbackSession {}

/** The part of an engine of data that works on moves, or on one phase of them. */
export interface Mover<Session extends Closable> {
  /** Opens nothing yet: connections are made when first needed. */
  begin(job: MoveJob): Session;
}

/** Something of ours found on a host, with the move and run that made it. */
export interface Residue {
  readonly move: MoveId;
  readonly run: number;
  readonly item: CleanupEntry;
  /** Of a replication slot: how much of its log the host keeps for it. */
  readonly retainedBytes?: number;
}

/** An engine of data. Stateless: sessions hold all state, and live no longer than one invocation. */
export interface HostDriver extends Mover<MoveSession> {
  readonly name: string;
  /** @throws StepFailure with a code and cure when the host cannot be used at all */
  describe(site: HostSite): Promise<HostDescription>;
  discover(site: HostSite): Promise<readonly DiscoveredEndpoint[]>;
  /**
   * What of a host would stop its moves, or make them other than one expects, whichever database moves. Changes nothing.
   * @throws StepFailure with a code and cure when the host cannot be used at all
   */
  examine(site: HostSite, installation: string): Promise<readonly PreflightFinding[]>;
  /** Every database that is there, those of moves too, with the installation's markers. Changes nothing. */
  takeStock(site: HostSite, installation: string): Promise<readonly StandingDatabase[]>;
  /** Everything on the host that carries the installation's name, except databases that serve. */
  findResidue(site: HostSite, installation: string): Promise<readonly Residue[]>;
  /** Removes one thing by identity. The caller holds the lease of the move it belongs to. */
  removeResidue(site: HostSite, residue: Residue): Promise<void>;
}
