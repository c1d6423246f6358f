import type * as z from 'zod';
import type { moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { mostMeasured } from '../../shared/domain/eta.ts';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { labelOf, mostTellingLabels, type MoveLabel, type Move } from '../../shared/domain/move.ts';

/**
 * Lists say where a move is; its row says why, since when and what each step took. A batch may have thousands, and
 * the API answers a hundred questions a second for everybody: so a look reads the rows that tell most.
 */
export type ListedMove = z.output<typeof moveOfBatch>;

interface KnownMove {
  readonly label: MoveLabel;
  /** Epoch milliseconds. */
  readonly readAt: number;
}

/** How old a row may get, in milliseconds, before it is read again; what has ended does not change any more. */
const freshMs: Readonly<Record<MoveLabel, number>> = {
  'cutting-over': 1_500,
  'rolling-back': 3_000,
  transferring: 4_000,
  stuck: 60_000,
  'rolled-back': Infinity,
  waiting: 15_000,
  moved: Infinity,
  retired: Infinity,
};
const mostEnded = 200;
/** Ways, from one host to another, of which one waiting move is read. */
const mostWays = 24;

/**
 * The ids of moves whose rows are to be read now, the most telling first.
 * @param most of them
 */
export function whichToRead(
  listed: readonly ListedMove[],
  known: ReadonlyMap<string, KnownMove>,
  at: number,
  most: number,
): string[] {
  const oldest = (one: ListedMove, other: ListedMove): number =>
    (known.get(one.move)?.readAt ?? 0) - (known.get(other.move)?.readAt ?? 0);
  const wanted = mostTellingLabels.flatMap((state) =>
    candidates(
      listed.filter((each) => each.state === state),
      state,
      known,
    )
      .filter(({ move }) => {
        const before = known.get(move);
        return before?.label !== state || at - before.readAt >= freshMs[state];
      })
      .toSorted(oldest),
  );
  return wanted.slice(0, most).map(({ move }) => move);
}

function candidates(
  moves: readonly ListedMove[],
  state: MoveLabel,
  known: ReadonlyMap<string, KnownMove>,
): readonly ListedMove[] {
  if (state === 'waiting') return onePerWay(moves).slice(0, mostWays);
  const most =
    state === 'moved' || state === 'retired' ? mostMeasured : state === 'rolled-back' ? mostEnded : Infinity;
  if (moves.length <= most) return moves;
  // Those that were seen under way come first: nothing new has to be read of them but the end.
  const seen = moves.filter(({ move }) => known.has(move));
  return [...seen, ...moves.filter(({ move }) => !known.has(move))].slice(0, most);
}

/** Of what waits to go from one host to another, one speaks for all. */
function onePerWay(moves: readonly ListedMove[]): readonly ListedMove[] {
  const ways = new Map<string, ListedMove>();
  for (const move of moves) if (!ways.has(wayOf(move))) ways.set(wayOf(move), move);
  return [...ways.values()];
}

const wayOf = ({ source, target }: Pick<ListedMove, 'source' | 'target'>): string => `${source} ${target}`;

/** The moves that were not read and wait, as they will be: like the one of the same way that was. */
export function likeThem(listed: readonly ListedMove[], read: readonly Move[]): Move[] {
  const known = new Set<string>(read.map(({ id }) => id));
  const speakers = new Map<string, Move>();
  for (const move of read) if (labelOf(move.execution) === 'waiting') speakers.set(wayOf(move), move);
  return listed.flatMap((move) => {
    const speaker = known.has(move.move) || move.state !== 'waiting' ? undefined : speakers.get(wayOf(move));
    if (speaker === undefined) return [];
    return [
      {
        ...speaker,
        id: moveId(move.move),
        endpoint: endpointName(move.endpoint),
        source: hostName(move.source),
        target: hostName(move.target),
      },
    ];
  });
}
