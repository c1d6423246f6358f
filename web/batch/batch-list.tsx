import { count } from '../../cli/quantity.ts';
import type { ListedBatch } from '../fleet/fleet-source.ts';
import { Ago } from '../parts/time.tsx';
import { linkTo } from '../route.ts';
import { ProgressBar } from './progress-bar.tsx';

export function BatchList({ batches }: { readonly batches: readonly ListedBatch[] }) {
  return (
    <ul class="batches">
      {batches.map((batch) => {
        const { total, ...counts } = batch.moves;
        return (
          <li key={batch.batch}>
            <p>
              <a href={linkTo.batch(batch.batch)}>{batch.reason === '' ? batch.batch : batch.reason}</a>{' '}
              <span class="faint">
                {stateOf(batch)} · {total === undefined ? 'being planned' : count(total, 'endpoint')} ·{' '}
                <Ago at={batch.endedAt ?? batch.createdAt} />
              </span>
            </p>
            <ProgressBar
              counts={counts}
              {...(total === undefined ? {} : { total })}
              label={`Progress of ${batch.batch}`}
            />
          </li>
        );
      })}
    </ul>
  );
}

/** `running, paused` */
export const stateOf = ({
  state,
  paused,
  cancelled,
}: Pick<ListedBatch, 'state' | 'paused' | 'cancelled'>): string =>
  [
    state,
    ...(paused === undefined ? [] : ['paused']),
    ...(cancelled === undefined ? [] : ['cancelled']),
  ].join(', ');
