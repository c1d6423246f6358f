import { freshness } from './api/feed.ts';
import { showDuration } from '../cli/quantity.ts';
import { now, timeOfDay } from './parts/time.tsx';

/** What is older than this, in milliseconds, is not called fresh, whatever the reason. */
const staleMs = 15_000;

/** Whether what is on the screen is so now: said in words, loudly when it is not. */
export function FreshnessBar() {
  const current = freshness.value;
  if (current === undefined) return <p class="freshness faint">Connecting …</p>;
  const { reading, tryNow } = current;
  const { at, failing } = reading;
  const age = at === undefined ? undefined : now.value - at;
  if (failing === undefined && (age === undefined || age < staleMs))
    return <p class="freshness fresh">{at === undefined ? 'Reading …' : `Live · ${timeOfDay(at)}`}</p>;
  return (
    <div class="freshness stale" role="alert">
      <p>
        <strong>{at === undefined ? 'Nothing could be read.' : `Stale: as of ${timeOfDay(at)}.`}</strong>{' '}
        {failing === undefined ? 'Nothing newer has come since.' : `${failing.sentence} ${failing.cure}`}
      </p>
      <p>
        {failing === undefined ? null : <span aria-hidden="true">{nextTry(failing.nextAt)} </span>}
        <button type="button" onClick={tryNow}>
          Try now
        </button>
      </p>
    </div>
  );
}

function nextTry(at: number): string {
  const ms = at - now.value;
  return ms < 1_000 ? 'Trying again.' : `Next try in ${showDuration(Math.ceil(ms / 1_000) * 1_000)}.`;
}
