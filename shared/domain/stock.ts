import type { MoveId } from './ids.ts';

/** A database on a host, as the host itself says. */
export interface StandingDatabase {
  readonly database: string;
  /** May clients come in? One that is closed for good was left by a move that has opened another. */
  readonly access: 'open' | 'closed' | 'closed-for-good';
  /** The host token that stands there; undefined: no move of ours has ever had it. */
  readonly marker?: {
    readonly token: number;
    /** The endpoint's epoch when that token's move claimed it; undefined where an engine does not keep it. */
    readonly epoch?: number;
  };
  /** A copy that this move makes, keeps or drops: it serves nobody. */
  readonly copyOf?: MoveId;
}
