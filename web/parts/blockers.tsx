import { count } from '../../cli/quantity.ts';
import type { Explanation } from '../api/explainer.ts';
import { linkTo } from '../route.ts';
import { Prose } from './prose.tsx';
import { Ago } from './time.tsx';

type Blocker = Explanation['blockers'][number];

/** What is in the way, that of the most moves first. */
export function Blockers({
  blockers,
  isOne = false,
}: {
  readonly blockers: readonly Blocker[];
  readonly isOne?: boolean;
}) {
  return (
    <ol class="blockers">
      {blockers.map((blocker) => (
        <li key={`${blocker.code} ${blocker.on}`} class={`blocker blocker-${blocker.kind}`}>
          <p>
            <strong>{headOf(blocker, isOne)}</strong> <Prose text={blocker.on} />
            {blocker.since === undefined ? null : (
              <span class="faint">
                {' '}
                (<code>{blocker.code}</code>, since <Ago at={blocker.since} />)
              </span>
            )}
          </p>
          {blocker.cure === undefined ? null : (
            <p class="cure">
              What ends it: <Prose text={blocker.cure} />
            </p>
          )}
          {isOne || blocker.examples.length === 0 ? null : (
            <p class="faint">
              For example{' '}
              {blocker.examples.map((id, at) => (
                <span key={id}>
                  {at === 0 ? '' : ', '}
                  <a href={linkTo.move(id)}>{id}</a>
                </span>
              ))}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

function headOf({ kind, moves }: Blocker, isOne: boolean): string {
  const some = count(moves, 'move');
  switch (kind) {
    case 'waiting':
      return isOne ? 'Waits for' : `${some} ${moves === 1 ? 'waits' : 'wait'} for`;
    case 'failing':
      return isOne ? 'Held up:' : `${some} held up:`;
    case 'ended':
      return isOne || moves === 0 ? 'Not moved:' : `${some} not moved:`;
    case 'quarantined':
      return isOne ? 'Quarantined:' : `${some} quarantined:`;
    default:
      return kind satisfies never;
  }
}
