import { fleetAnswer } from '../../shared/contracts/api/fleet.ts';
import { useFeed } from '../api/feed.ts';
import { Word } from '../parts/word.tsx';

/** Says on every view that everything is paused, while it is. */
export function PauseBanner() {
  const { reading } = useFeed(
    'pause',
    () => ({ read: (api) => api.get('/fleet', fleetAnswer), everyMs: () => 5_000 }),
    'aside',
  );
  const paused = reading.value?.paused;
  return paused === undefined ? null : (
    <p class="banner" role="status">
      <strong>Everything is paused</strong> <Word of={paused} />. Nothing begins and nothing cuts over until{' '}
      <code>dray resume --all --reason …</code>
    </p>
  );
}
