import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { showDuration } from '../../cli/quantity.ts';

/** Epoch milliseconds, a second at a time. */
export const now = signal(Date.now());

/** Lets `now` go on for as long as the console is there. */
export function useClock(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
}

export const timeOfDay = (at: number): string => new Date(at).toLocaleTimeString();

/** `14:02:07`, with the day where it is not today. @param at epoch milliseconds */
export function Moment({ at }: { readonly at: number }) {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(now.value).toDateString();
  return (
    <time dateTime={then.toISOString()} title={then.toISOString()}>
      {isToday ? then.toLocaleTimeString() : then.toLocaleString()}
    </time>
  );
}

/** `2 min 5 s ago`. @param at epoch milliseconds */
export function Ago({ at }: { readonly at: number }) {
  const ms = Math.max(0, now.value - at);
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
      {ms < 2_000 ? 'just now' : `${showDuration(Math.floor(ms / 1_000) * 1_000)} ago`}
    </time>
  );
}
