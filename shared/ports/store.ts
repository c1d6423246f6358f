import type { Batch } from '../domain/batch.ts';
import type { CleanupRecord } from '../domain/cleanup.ts';
import type { Fleet } from '../domain/fleet.ts';
import type { Host, PermitSide } from '../domain/host.ts';
import type { BatchId, EndpointName, HostName, MoveId } from '../domain/ids.ts';
import type { Letter } from '../domain/letter.ts';
import type { Move, MoveLabel } from '../domain/move.ts';
import type { Notification } from '../domain/notification.ts';
import type { Pace } from '../domain/pace.ts';
import type { Placement } from '../domain/placement.ts';
import type { RequestRecord } from '../domain/request.ts';
import type { Scaler } from '../domain/scaling.ts';

/** The records of the one table, by kind. Each has a `version` that grows by one with every commit. */
export interface Records {
  readonly host: Host;
  readonly endpoint: Placement;
  readonly batch: Batch;
  readonly move: Move;
  readonly request: RequestRecord;
  readonly cleanup: CleanupRecord;
  readonly letter: Letter;
  readonly fleet: Fleet;
  readonly news: Notification;
  readonly pace: Pace;
  readonly scaler: Scaler;
}
export type RecordKind = keyof Records;

/** What names a record of each kind. */
export interface Keys {
  readonly host: Pick<Host, 'name'>;
  readonly endpoint: Pick<Placement, 'endpoint'>;
  readonly batch: Pick<Batch, 'id'>;
  readonly move: Pick<Move, 'id'>;
  readonly request: Pick<RequestRecord, 'source' | 'id'>;
  readonly cleanup: Pick<CleanupRecord, 'move' | 'run' | 'host'>;
  readonly letter: Pick<Letter, 'message'>;
  /** There is one. */
  readonly fleet: object;
  readonly news: Pick<Notification, 'id'>;
  readonly pace: object;
  readonly scaler: Pick<Scaler, 'target'>;
}

export type Committed<R> = { readonly kind: 'committed'; readonly record: R } | { readonly kind: 'conflict' };

/**
 * The only way to write a record: on the version that was read. A lost update cannot be expressed.
 *
 * Reads are strongly consistent. Throttling and outages throw `StoreUnavailable`; `conflict` is an answer.
 */
export interface Store {
  load<K extends RecordKind>(kind: K, key: Keys[K]): Promise<Records[K] | undefined>;
  /** In the order of `keys`; absent ones are undefined. */
  loadMany<K extends RecordKind>(
    kind: K,
    keys: readonly Keys[K][],
  ): Promise<readonly (Records[K] | undefined)[]>;
  /** Writes version 1 of a record, if there is none of its key. */
  insert<K extends RecordKind>(kind: K, record: Records[K]): Promise<'inserted' | 'exists'>;
  /**
   * Replaces `before` by `after` (its version is set here) if the row still has `before`'s version. Commits of
   * one moment travel together; each is answered for itself.
   */
  commit<K extends RecordKind>(
    kind: K,
    before: Records[K],
    after: Records[K],
  ): Promise<Committed<Records[K]>>;
  /**
   * The same in a call of its own that is sent exactly once: for the arbiter's writes. `unknown`: sent, and
   * no answer came; it may have happened, or happen yet.
   */
  commitAlone<K extends RecordKind>(
    kind: K,
    before: Records[K],
    after: Records[K],
  ): Promise<Committed<Records[K]> | { readonly kind: 'unknown' }>;
  remove<K extends RecordKind>(kind: K, record: Records[K]): Promise<'removed' | 'conflict'>;
}

/** Sets on a host's row: adding and taking away are idempotent, so a crash between two of them costs nothing. */
export interface Permits {
  /** `true` if the move now holds (or already held) one of `limit` permits. */
  take(host: HostName, side: PermitSide, move: MoveId, limit: number): Promise<boolean>;
  giveBack(host: HostName, side: PermitSide, move: MoveId): Promise<void>;
  /** Gives back all that a move has of the host it goes to, permit and space, in one write. */
  vacate(host: HostName, move: MoveId): Promise<void>;
  /**
   * Commits that a move waits again, and gives back both its permits, all at once or not at all: nobody ever sees it
   * under way without them, and who is late finds another version.
   */
  setBack(before: Move, after: Move): Promise<Committed<Move>>;
  /** Sets space aside on a host; asking again replaces the figure. */
  reserve(host: HostName, move: MoveId, bytes: number): Promise<void>;
  unreserve(host: HostName, move: MoveId): Promise<void>;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it back for the next page; absent on the last. */
  readonly cursor?: string;
}

/** One transition of a move, as the history keeps it. */
export interface HistoryEntry {
  readonly move: MoveId;
  readonly version: number;
  readonly at: number;
  readonly by: string;
  readonly fact: string;
  readonly from: string;
  readonly to: string;
  readonly step?: string;
  readonly ms?: number;
  readonly note?: string;
  /** The dead letter with which a person did something: no transition, it stands beside the version's own. */
  readonly letter?: string;
}

/** Work whose time has come, as the sweep finds it. */
export type Due =
  | { readonly kind: 'move'; readonly id: MoveId }
  | { readonly kind: 'batch'; readonly id: BatchId }
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointName }
  | { readonly kind: 'news'; readonly id: string }
  | { readonly kind: 'host'; readonly name: HostName }
  | { readonly kind: 'request'; readonly source: string; readonly id: string };

/** A move as the index of its batch has it: the label may be older than the row. */
export interface LabelledMove {
  readonly id: MoveId;
  readonly label: MoveLabel;
}

/** What the dispatcher needs of a move that waits. */
export interface WaitingMove {
  readonly id: MoveId;
  readonly batch: BatchId;
  readonly source: HostName;
  readonly target: HostName;
  readonly priority: number;
  readonly createdAt: number;
  readonly workflow: string;
  /** Where it stands among those that wait: see `waiting-order`. */
  readonly order: string;
}

/** Index reads: eventually consistent, so they propose and never decide. */
export interface Views {
  hosts(cursor?: string): Promise<Page<HostName>>;
  endpointsOn(host: HostName, cursor?: string): Promise<Page<EndpointName>>;
  /** The size in bytes of each endpoint of a host, from the index alone: not a row is read. */
  sizesOn(host: HostName, cursor?: string): Promise<Page<number>>;
  /** Every target of which the autoscaler knows something. */
  scalers(cursor?: string): Promise<Page<string>>;
  /** Every endpoint's name; for selections by label. */
  endpoints(cursor?: string): Promise<Page<EndpointName>>;
  /** Every batch, in the order of their ids. */
  batches(cursor?: string): Promise<Page<BatchId>>;
  /** All moves of a batch, or those of one label. */
  movesOf(batch: BatchId, label?: MoveLabel, cursor?: string): Promise<Page<LabelledMove>>;
  /** Moves made in an hour (`2026-11-21T08`), newest last. */
  movesAt(hour: string, cursor?: string): Promise<Page<MoveId>>;
  /** Requests that were refused, by the hour (`2026-11-21T08`) in which they came, newest last. */
  refusalsAt(hour: string, cursor?: string): Promise<Page<Keys['request']>>;
  /** Dead letters that a person has put back or thrown away in an hour (`2026-11-21T08`), newest last. */
  lettersAt(hour: string, cursor?: string): Promise<Page<Keys['letter']>>;
  /** What people were told, or are to be, that came up in an hour (`2026-11-21T08`), newest last. */
  notificationsAt(hour: string, cursor?: string): Promise<Page<Keys['news']>>;
  /** Moves of one shard that wait for a permit, in their order, behind `after`; at most `limit` of them. */
  waiting(shard: string, after: string, limit: number): Promise<readonly WaitingMove[]>;
  /**
   * Due at or before `now`, about in the order in which they have become so, of `limit` rows: those of kinds that this
   * release does not know are left out, so a page can be short, or empty, and not the last.
   */
  due(now: number, limit: number, cursor?: string): Promise<Page<Due>>;
  history(move: MoveId, cursor?: string): Promise<Page<HistoryEntry>>;
  cleanupsOn(host: HostName, cursor?: string): Promise<Page<Keys['cleanup']>>;
}

/** Figures for people, fed by the stream: never asked when something is decided. */
export interface Journal {
  append(entries: readonly HistoryEntry[]): Promise<void>;
  /** Adds to a batch's display counts; a write whose answer was lost may count twice, and the batch's end is exact. */
  count(batch: BatchId, changes: Readonly<Partial<Record<MoveLabel, number>>>): Promise<void>;
}
