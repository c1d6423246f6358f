import { looks, Mark, type TileState } from '../parts/look.tsx';
import type { FleetNow } from './fleet-source.ts';

const shown = [
  'serving',
  'waiting',
  'transferring',
  'cutting-over',
  'rolling-back',
  'stuck',
] as const satisfies readonly TileState[];

/** How many endpoints are in each state. */
export function talliesOf(fleet: FleetNow): readonly { state: TileState; word: string; figure: number }[] {
  const all = [...fleet.endpoints.values()].reduce((sum, { length }) => sum + length, 0);
  const figures = new Map<TileState, number>();
  const add = (state: TileState): void => {
    figures.set(state, (figures.get(state) ?? 0) + 1);
  };
  for (const { state } of fleet.journeys.values()) add(state);
  for (const [endpoint, { state }] of fleet.standing) if (!fleet.journeys.has(endpoint)) add(state);
  const busy = [...figures.values()].reduce((sum, figure) => sum + figure, 0);
  figures.set('serving', Math.max(0, all - busy));
  return shown.map((state) => ({ state, word: looks[state].word, figure: figures.get(state) ?? 0 }));
}

export function Legend({ fleet }: { readonly fleet: FleetNow }) {
  return (
    <ul class="legend" aria-label="Endpoints by state">
      {talliesOf(fleet).map(({ state, word, figure }) => (
        <li key={state} class={figure === 0 ? 'faint' : ''}>
          <Mark state={state} /> <b>{figure.toLocaleString('en')}</b> {word}
        </li>
      ))}
    </ul>
  );
}
