import { useState } from 'preact/hooks';
import { showDuration } from '../../cli/quantity.ts';
import { labelOf, type MoveLabel, type Move } from '../../shared/domain/move.ts';
import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';
import { looks, Mark } from '../parts/look.tsx';
import { figures, Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';

const { steps } = moveEndpointShape;
const few = 30;

/** Those that something happens to, then those that have ended; who only waits has taken no step yet. */
const order: readonly MoveLabel[] = [
  'stuck',
  'cutting-over',
  'rolling-back',
  'transferring',
  'rolled-back',
  'moved',
  'retired',
];

/** The steps of each move, one behind the other, as long as each has taken. All begin at the left: what differs is seen. */
export function StepsChart({ moves, at }: { readonly moves: readonly Move[]; readonly at: number }) {
  const [isAll, setAll] = useState(false);
  const begun = moves
    .filter((move) => partsOf(move, at).length > 0)
    .toSorted((one, other) => rank(one) - rank(other) || other.execution.last.at - one.execution.last.at);
  const shown = isAll ? begun : begun.slice(0, few);
  const longest = Math.max(1, ...shown.map((move) => lengthOf(partsOf(move, at))));
  return (
    <section class="panel" aria-labelledby="steps">
      <h2 id="steps">Steps of each move</h2>
      {begun.length === 0 ? (
        <p class="faint">None has begun.</p>
      ) : (
        <>
          <ul class="legend steps-legend" aria-label="Colours of steps">
            {steps.map(({ name }, index) => (
              <li key={name}>
                <svg class="mark" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
                  <rect class={`step step-${String(index + 1)}`} width="16" height="16" />
                </svg>{' '}
                {name}
              </li>
            ))}
          </ul>
          <Table
            label="Table of steps"
            class="steps-chart"
            columns={[
              'Endpoint',
              { heading: 'Way', as: 'way' },
              figures('Took'),
              `Steps, to ${showDuration(longest)}`,
            ]}
          >
            {shown.map((move) => (
              <Row key={move.id} move={move} at={at} longest={longest} />
            ))}
          </Table>
          {begun.length <= few ? null : (
            <button
              type="button"
              onClick={() => {
                setAll(!isAll);
              }}
            >
              {isAll ? `Show ${String(few)}` : `Show all ${String(begun.length)}`}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function Row({ move, at, longest }: { readonly move: Move; readonly at: number; readonly longest: number }) {
  const parts = partsOf(move, at);
  const state = labelOf(move.execution);
  let x = 0;
  return (
    <tr>
      <th scope="row">
        <Mark state={state} /> <a href={linkTo.move(move.id)}>{move.endpoint}</a>
        <span class="hidden"> {looks[state].word}</span>
      </th>
      <td class="way">
        {move.source} → {move.target}
      </td>
      <td class="figure">{showDuration(lengthOf(parts))}</td>
      <td class="bar">
        <svg
          viewBox="0 0 1000 14"
          preserveAspectRatio="none"
          role="img"
          aria-label={parts
            .map(({ name, ms, isOpen }) => `${name} ${showDuration(ms)}${isOpen ? ' so far' : ''}`)
            .join(', ')}
        >
          {parts.map(({ name, ms, index, isOpen }) => {
            const width = (1_000 * ms) / longest;
            const left = x;
            x += width;
            return (
              <rect
                key={name}
                class={`step step-${String(index + 1)}${isOpen ? ' open' : ''}`}
                x={left}
                width={Math.max(1.5, width)}
                height="14"
              >
                <title>{`${name} ${showDuration(ms)}`}</title>
              </rect>
            );
          })}
        </svg>
      </td>
    </tr>
  );
}

interface Part {
  readonly name: string;
  readonly index: number;
  readonly ms: number;
  /** It is at it now. */
  readonly isOpen: boolean;
}

/** What each step has taken; retiring the old copy is left out: it waits for days, and nobody waits for it. */
function partsOf({ execution: { timings, status, last } }: Move, at: number): Part[] {
  return steps.flatMap(({ name }, index): Part[] => {
    if (name === 'retire') return [];
    const took = timings[name];
    if (took !== undefined) return [{ name, index, ms: took, isOpen: false }];
    if (status.state !== 'running' || status.step !== name) return [];
    const sinceThen = status.lease === undefined ? 0 : Math.max(0, at - last.at);
    return [{ name, index, ms: status.spentMs + sinceThen, isOpen: true }];
  });
}

const lengthOf = (parts: readonly Part[]): number => parts.reduce((sum, { ms }) => sum + ms, 0);
const rank = ({ execution }: Move): number => order.indexOf(labelOf(execution));
