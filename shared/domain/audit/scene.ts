import type { CleanupEntry } from '../cleanup.ts';
import type { HostName, MoveId } from '../ids.ts';
import type { Move } from '../move.ts';
import type { Placement } from '../placement.ts';
import type { StandingDatabase } from '../stock.ts';

/** Something of ours on a host that does not serve, and what is known of the move that it is of. */
export interface Leftover {
  readonly host: HostName;
  readonly move: MoveId;
  readonly run: number;
  readonly item: CleanupEntry;
  /** `orphan`: its move has ended. `unknown`: there is no row of its move. */
  readonly is: 'orphan' | 'unknown';
}

/** All that an audit compares. The placements were read before any host was asked, and the moves after all had been. */
export interface AuditScene {
  readonly placements: readonly Placement[];
  /** Every host that is registered and not retired, also one whose row cannot be read. Two of them may be one server. */
  readonly hosts: ReadonlyMap<
    HostName,
    { readonly driver: string; readonly systemIdentifier: string } | 'unreadable'
  >;
  /** What is on each host that could be asked. */
  readonly stock: ReadonlyMap<HostName, readonly StandingDatabase[]>;
  /** Of the moves that hold endpoints those that have a row. */
  readonly moves: ReadonlyMap<MoveId, Move | 'unreadable'>;
  readonly leftovers: readonly Leftover[];
}

/** What puts a difference right. */
export type Repair =
  | { readonly kind: 'place'; readonly before: Placement; readonly after: Placement }
  /** The sweep of the host: what it sees for the first time goes with its next look. */
  | { readonly kind: 'sweep'; readonly host: HostName; readonly key: string }
  | { readonly kind: 'remove'; readonly leftover: Leftover };

/** Rows say one thing, and a host another. */
export interface Difference {
  readonly code: string;
  readonly subject: string;
  /** Of an endpoint: its row as it was compared. Once that has changed nothing of this need be true any more. */
  readonly placement?: Placement;
  readonly sentence: string;
  /** What would put it right. */
  readonly cure: string;
  /** Absent where only a person can tell what is right. */
  readonly repair?: Repair;
}
