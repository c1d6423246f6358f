import { percentile } from '../../cli/batch-report.ts';
import { count, showDuration } from '../../cli/quantity.ts';
import type { Move } from '../../shared/domain/move.ts';
import { pauseOf } from '../../shared/workflow/explain/batch-snapshot.ts';
import { figures, Table } from '../parts/table.tsx';
import { binsOf } from './histogram.ts';

interface PauseProps {
  readonly moves: readonly Move[];
  readonly budgetMs: number;
  /** All that have arrived, read or not. */
  readonly arrived: number;
}

/** How long writers had to wait, over the moves that have arrived. */
export function PauseHistogram({ moves, budgetMs, arrived }: PauseProps) {
  const pauses = moves.flatMap((move) => pauseOf(move) ?? []).toSorted((one, other) => one - other);
  const bins = binsOf(pauses);
  const highest = Math.max(1, ...bins.map(({ figure }) => figure));
  const over = pauses.filter((pause) => pause > budgetMs).length;
  const shown = (share: number): string => showDuration(percentile(pauses, share) ?? 0);
  return (
    <section class="panel" aria-labelledby="pauses">
      <h2 id="pauses">How long writers paused</h2>
      {pauses.length === 0 ? (
        <p class="faint">Nothing has arrived yet.</p>
      ) : (
        <>
          <p>
            <b>{shown(0.5)}</b> in the middle, <b>{shown(0.99)}</b> at the 99th percentile, <b>{shown(1)}</b>{' '}
            at the longest
            {over === 0
              ? `; all within the budget of ${showDuration(budgetMs)}`
              : `; ${String(over)} over the budget of ${showDuration(budgetMs)}`}
            <span class="faint">
              {' '}
              (
              {pauses.length < arrived
                ? `${String(pauses.length)} of ${count(arrived, 'move')} looked at`
                : count(pauses.length, 'move')}
              )
            </span>
          </p>
          <Table
            label="Pauses by length"
            class="histogram"
            columns={['Pause', figures('Moves'), { heading: 'Share', as: 'heard' }]}
          >
            {bins.map(({ from, to, figure }) => (
              <tr key={from}>
                <th scope="row">
                  {showDuration(from)} – {showDuration(to)}
                </th>
                <td class="figure">{figure}</td>
                <td class="bar">
                  <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect
                      class={from >= budgetMs ? 'over' : 'within'}
                      width={(100 * figure) / highest}
                      height="10"
                    />
                  </svg>
                </td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </section>
  );
}
