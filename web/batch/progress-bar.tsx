import { moveLabels, type MoveLabel } from '../../shared/domain/move.ts';
import { looks, Mark } from '../parts/look.tsx';

type Counts = Readonly<Partial<Record<MoveLabel, number | undefined>>>;

interface ProgressProps {
  readonly counts: Counts;
  /** Undefined: nobody knows yet how many there will be. */
  readonly total?: number;
  readonly label: string;
}

/** From what has arrived to what waits: so the bar grows from the left. */
const order: readonly MoveLabel[] = [
  'retired',
  'moved',
  'cutting-over',
  'transferring',
  'rolling-back',
  'rolled-back',
  'stuck',
  'waiting',
];

export const arrivedOf = (counts: Counts): number => (counts.moved ?? 0) + (counts.retired ?? 0);

/** How many moves are where, as a bar. */
export function ProgressBar({ counts, total, label }: ProgressProps) {
  const planned = moveLabels.reduce((sum, each) => sum + Math.max(0, counts[each] ?? 0), 0);
  const all = Math.max(1, total ?? planned, planned);
  let x = 0;
  return (
    <svg
      class="progress"
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${String(arrivedOf(counts))} of ${total === undefined ? 'an unknown number' : String(total)} moved`}
    >
      <rect class="track" width="1000" height="10" />
      {order.map((state) => {
        const width = (1_000 * Math.max(0, counts[state] ?? 0)) / all;
        const at = x;
        x += width;
        return width === 0 ? null : (
          <rect key={state} class={`state-${state}`} fill="currentColor" x={at} width={width} height="10" />
        );
      })}
    </svg>
  );
}

/** The same in figures. */
export function Counts({ counts }: { readonly counts: Counts }) {
  return (
    <ul class="legend" aria-label="Moves by state">
      {order.flatMap((state) => {
        const figure = counts[state] ?? 0;
        return figure <= 0
          ? []
          : [
              <li key={state}>
                <Mark state={state} /> <b>{figure.toLocaleString('en')}</b> {looks[state].word}
              </li>,
            ];
      })}
    </ul>
  );
}
