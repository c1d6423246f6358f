import type { MoveLabel } from '../../shared/domain/move.ts';

/** What an endpoint is doing; most do nothing but serve. */
export type TileState = 'serving' | MoveLabel;

interface Look {
  /** In a square of 16 by 16; what overlaps is cut out. */
  readonly shape: string;
  /** Completes "12 …". */
  readonly word: string;
}

/** Each state has a shape of its own: the colour (`--state-…` in base.css) says no more than the shape does. */
export const looks: Readonly<Record<TileState, Look>> = {
  serving: { shape: 'M2 2h12v12h-12z', word: 'serving' },
  waiting: { shape: 'M8 1.5a6.5 6.5 0 1 0 .01 0zM8 4.5a3.5 3.5 0 1 1 -.01 0z', word: 'waiting' },
  transferring: { shape: 'M3 1.5l11.5 6.5-11.5 6.5z', word: 'being copied' },
  'cutting-over': { shape: 'M8 0.5l7.5 7.5-7.5 7.5-7.5-7.5z', word: 'cutting over' },
  moved: { shape: 'M8 1.5a6.5 6.5 0 1 0 .01 0z', word: 'moved' },
  retired: { shape: 'M2 6.5l4.2 4.2 7.8-7.8 1.9 1.9-9.7 9.7-6.1-6.1z', word: 'moved, old copy gone' },
  'rolling-back': { shape: 'M13 1.5l-11.5 6.5 11.5 6.5zM10.5 5.8v4.4l-3.9-2.2z', word: 'going back' },
  'rolled-back': { shape: 'M1.5 6h13v4h-13z', word: 'not moved' },
  stuck: {
    shape: 'M3.6 1l4.4 4.4 4.4-4.4 2.6 2.6-4.4 4.4 4.4 4.4-2.6 2.6-4.4-4.4-4.4 4.4-2.6-2.6 4.4-4.4-4.4-4.4z',
    word: 'stuck',
  },
};

/** The order in which people look for them. */
export const tileStates: readonly TileState[] = [
  'stuck',
  'rolling-back',
  'rolled-back',
  'cutting-over',
  'transferring',
  'waiting',
  'moved',
  'retired',
  'serving',
];

/** The shape of a state, for those who see; the word stands beside it. */
export function Mark({ state }: { readonly state: TileState }) {
  return (
    <svg class={`mark state-${state}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path fill="currentColor" fill-rule="evenodd" d={looks[state].shape} />
    </svg>
  );
}

export function StateWord({ state }: { readonly state: TileState }) {
  return (
    <span class="state-word">
      <Mark state={state} />
      {looks[state].word}
    </span>
  );
}
