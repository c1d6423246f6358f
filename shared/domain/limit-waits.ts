import { leadOf } from './move-reasons.ts';
import type { Move } from './move.ts';
import { freshPace, nextMinute, startsLeft, type Pace } from './pace.ts';
import type { Rooms, Shortage } from './rooms.ts';

/** What keeps a move waiting that both of its hosts would take. */
export interface LimitWait {
  readonly code: 'limit-all' | 'limit-zone' | 'limit-batch' | 'limit-starts';
  /** Completes "waits for …". */
  readonly on: string;
  readonly cure: string;
}

/** Which limit a move waits at, if its hosts have permits; undefined: none. */
export type LimitOf = (move: Move) => LimitWait | undefined;

/**
 * The limits beside those of hosts, as the dispatcher sees them: in all, of a zone, of a batch, and how many may begin
 * in a minute.
 *
 * @param now epoch milliseconds
 */
export function limitsSeen(rooms: Rooms, perMinute: number, now: number, pace: Pace = freshPace): LimitOf {
  return (move) => {
    const { id, source, target } = move;
    const shortages = rooms.shortagesOf({ id, source, target, batch: leadOf(move) }) ?? [];
    for (const kind of ['all', 'zone', 'batch'] as const) {
      const shortage = shortages.find(({ full }) => full.kind === kind);
      const wait = shortage === undefined ? undefined : waitAt(shortage);
      if (wait !== undefined) return wait;
    }
    if (startsLeft(pace, perMinute, now) > 0) return undefined;
    return {
      code: 'limit-starts',
      on: `the minute that begins at ${new Date(nextMinute(pace, now)).toISOString()}: ${String(perMinute)} moves have begun in this one`,
      cure: 'nothing to do; to let more begin in a minute: dray knob startsPerMinute … --reason …',
    };
  };
}

function waitAt({ full, limit, held }: Shortage): LimitWait | undefined {
  const ofThem = `${String(held.size)} of ${String(limit)} moves under way`;
  switch (full.kind) {
    case 'all':
      return {
        code: 'limit-all',
        on: `another move to end, wherever: ${ofThem} in all`,
        cure: 'dray knob movesInAll says how many may be; dray status, whether fewer are let go for the time being',
      };
    case 'zone':
      return {
        code: 'limit-zone',
        on: `another move from or to zone ${full.zone} to end: ${ofThem} there`,
        cure: 'dray knob movesPerZone says how many may be; dray status, whether fewer are let go for the time being',
      };
    case 'batch':
      return {
        code: 'limit-batch',
        on: `another move of batch ${full.batch} to end: ${ofThem} of it`,
        cure: 'dray knob movesPerBatch says how many may be',
      };
    case 'host':
      return undefined;
    default:
      return full satisfies never;
  }
}
