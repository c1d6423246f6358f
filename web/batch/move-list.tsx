import { useState } from 'preact/hooks';
import { explainState } from '../../shared/domain/explain.ts';
import { labelOf, moveLabels, type MoveLabel, type Move } from '../../shared/domain/move.ts';
import { looks, StateWord } from '../parts/look.tsx';
import { Prose } from '../parts/prose.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';

const page = 50;

/** The moves in words, by state and name. */
export function MoveList({ moves, inAll }: { readonly moves: readonly Move[]; readonly inAll: number }) {
  const [wanted, setWanted] = useState<MoveLabel | ''>('');
  const [shown, setShown] = useState(page);
  const chosen = moves
    .filter(({ execution }) => wanted === '' || labelOf(execution) === wanted)
    .toSorted((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
  const there = moveLabels.filter((label) => moves.some(({ execution }) => labelOf(execution) === label));
  return (
    <section class="panel" aria-labelledby="moves">
      <h2 id="moves">Moves</h2>
      <label class="inline">
        State{' '}
        <select
          value={wanted}
          onChange={({ currentTarget: { value } }) => {
            setWanted(moveLabels.find((label) => label === value) ?? '');
            setShown(page);
          }}
        >
          <option value="">all</option>
          {there.map((label) => (
            <option key={label} value={label}>
              {looks[label].word}
            </option>
          ))}
        </select>
      </label>
      <Table label="Table of moves" columns={['Endpoint', 'Way', 'State', 'What it does']}>
        {chosen.slice(0, shown).map((move) => (
          <tr key={move.id}>
            <th scope="row">
              <a href={linkTo.move(move.id)}>{move.endpoint}</a>
            </th>
            <td class="way">
              {move.source} → {move.target}
            </td>
            <td>
              <StateWord state={labelOf(move.execution)} />
            </td>
            <td class="wide">
              <Prose text={explainState(move.execution)} />
            </td>
          </tr>
        ))}
      </Table>
      {chosen.length <= shown ? null : (
        <button
          type="button"
          onClick={() => {
            setShown(shown + 4 * page);
          }}
        >
          Show more ({String(chosen.length - shown)})
        </button>
      )}
      {moves.length >= inAll ? null : (
        <p class="faint">
          {moves.length.toLocaleString('en')} of {inAll.toLocaleString('en')} moves are here; the others are
          not looked at one by one. <code>dray batch show</code> names all of them.
        </p>
      )}
    </section>
  );
}
