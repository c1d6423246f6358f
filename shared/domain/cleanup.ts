import type { HostName, MoveId } from './ids.ts';
import type { Json } from './json.ts';

/**
 * Something that a move made, or a setting it changed, on a host. It is recorded **before** it happens and
 * forgotten only after it is proved gone, so that a sweep can always find it.
 */
export interface CleanupEntry {
  /** Unique within the move's run and host, e.g. `slot:dray_x_1f…_1_a`. */
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  /** Identity for destruction: nothing is dropped unless this and `oid` agree with the host. */
  readonly systemIdentifier: string;
  readonly oid?: number;
  /** For settings: the value to restore. */
  readonly restore?: Json;
}

/** All that one run of a move has on one host. */
export interface CleanupRecord {
  readonly move: MoveId;
  readonly run: number;
  readonly host: HostName;
  readonly items: readonly CleanupEntry[];
  /** The newest worker that has written here: an earlier one, that was stopped, writes nothing any more. */
  readonly token?: number;
  readonly version: number;
}
