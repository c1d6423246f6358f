import { showDuration } from '../../cli/quantity.ts';
import { Prose } from '../parts/prose.tsx';
import { figures, Table } from '../parts/table.tsx';
import type { HistoryEntry } from './move-source.ts';

/** Everything that has happened to a move, the latest first. */
export function History({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  return (
    <section class="panel" aria-labelledby="history">
      <h2 id="history">History</h2>
      {entries.length === 0 ? (
        <p class="faint">Nothing is known; it is kept for ninety days.</p>
      ) : (
        <Table
          label="Table of what has happened"
          columns={['When', 'What', 'State', 'Step', figures('Took'), 'By, and why']}
        >
          {entries.toReversed().map(({ version, at, fact, from, to, step, ms, by, note }) => (
            <tr key={version}>
              <td>
                <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time>
              </td>
              <td>{fact}</td>
              <td>{from === to ? to : `${from} → ${to}`}</td>
              <td>{step ?? ''}</td>
              <td class="figure">{ms === undefined ? '' : showDuration(ms)}</td>
              <td class="wide">
                {by}
                {note === undefined ? null : (
                  <>
                    : <Prose text={note} />
                  </>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
