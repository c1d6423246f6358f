import { etaText } from '../../cli/batch-eta.ts';
import type { Eta } from '../../shared/domain/eta.ts';
import { timeOfDay } from '../parts/time.tsx';

interface EtaProps {
  readonly eta: Eta | undefined;
  /** When it was estimated, epoch milliseconds. */
  readonly at: number;
  readonly deadline?: number;
}

/** When it will be over, as a band: four of five ends fall into it. */
export function EtaBand({ eta, at, deadline }: EtaProps) {
  if (eta === undefined)
    return (
      <p class="eta faint">
        When it will be over cannot be told: none has arrived yet, or nothing can go on.
      </p>
    );
  const end = 1.15 * Math.max(eta.latestMs, deadline === undefined ? 0 : deadline - at);
  const x = (ms: number): number => (1_000 * Math.max(0, ms)) / end;
  return (
    <figure class="eta">
      <figcaption>
        {etaText(eta)}: over at about <b>{timeOfDay(at + eta.ms)}</b>, four times of five between{' '}
        {timeOfDay(at + eta.earliestMs)} and {timeOfDay(at + eta.latestMs)}
        {deadline === undefined ? '' : `; wanted by ${timeOfDay(deadline)}`}
      </figcaption>
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" y="4" width="1000" height="2" />
        <rect
          class="band"
          x={x(eta.earliestMs)}
          y="1"
          width={x(eta.latestMs) - x(eta.earliestMs)}
          height="8"
        />
        <rect class="likely" x={x(eta.ms) - 1.5} y="0" width="3" height="10" />
        {deadline === undefined ? null : (
          <rect class="deadline" x={x(deadline - at) - 1} y="0" width="2" height="10" />
        )}
      </svg>
    </figure>
  );
}
