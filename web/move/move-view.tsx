import { showBytes, showDuration } from '../../cli/quantity.ts';
import type { MoveId } from '../../shared/domain/ids.ts';
import { labelOf, type MoveReason } from '../../shared/domain/move.ts';
import { pauseOf, sizeOf } from '../../shared/workflow/explain/batch-snapshot.ts';
import { resultsOf } from '../../shared/workflow/move-endpoint/results.ts';
import { useFeed } from '../api/feed.ts';
import { Commands } from '../command/command-dialog.tsx';
import { effectsOnMove } from '../command/effect.ts';
import { Facts } from '../parts/facts.tsx';
import { StateWord } from '../parts/look.tsx';
import { Prose } from '../parts/prose.tsx';
import { Ago, Moment } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
import { Why } from '../parts/why.tsx';
import { Word } from '../parts/word.tsx';
import { linkTo } from '../route.ts';
import { History } from './history.tsx';
import { moveSource, type MoveNow } from './move-source.ts';
import { MoveSteps } from './move-steps.tsx';

export function MoveView({ id }: { readonly id: MoveId }) {
  const { reading, now: look } = useFeed(id, () => moveSource(id));
  const move = reading.value?.move;
  return (
    <View
      title={move === undefined ? id : `${move.endpoint}: ${move.source} → ${move.target}`}
      reading={reading}
    >
      {(known) => <Shown of={known} look={look} />}
    </View>
  );
}

function Shown({
  of: { move, batch, explained, history, at },
  look,
}: {
  readonly of: MoveNow;
  readonly look: () => void;
}) {
  const { sentence, since } = explained.explanation ?? {};
  const state = labelOf(move.execution);
  const results = resultsOf(move);
  const bytes = sizeOf(move);
  const pause = pauseOf(move);
  return (
    <>
      <p class="lead">
        <StateWord state={state} />
        {sentence === undefined ? null : (
          <>
            {' '}
            · <Prose text={sentence} />
          </>
        )}
        {since === undefined ? null : (
          <span class="faint">
            {' '}
            (<Ago at={since} />)
          </span>
        )}
      </p>
      <Commands
        effects={effectsOnMove(move, batch)}
        subject={{ kind: 'moves', id: move.id, called: `the move of ${move.endpoint}` }}
        done={look}
      />
      <div class="beside">
        <MoveSteps move={move} at={at} />
        <div>
          <Why title="Why it waits" of={explained} nothing="Nothing is in its way." isOne />
          <section class="panel" aria-labelledby="facts">
            <h2 id="facts">The move</h2>
            <Facts
              of={{
                Move: <code>{move.id}</code>,
                Batch: (
                  <a href={linkTo.batch(move.batch)}>
                    {batch === undefined || batch.reason === '' ? move.batch : batch.reason}
                  </a>
                ),
                'Wanted by': move.reasons === undefined ? undefined : <Reasons of={move.reasons} />,
                'Goes along with':
                  move.joined === undefined ? undefined : (
                    <>
                      <a href={linkTo.move(move.joined.move)}>{move.joined.move}</a> of{' '}
                      <a href={linkTo.batch(move.joined.batch)}>{move.joined.batch}</a>
                    </>
                  ),
                Endpoint: <a href={linkTo.endpoint(move.endpoint)}>{move.endpoint}</a>,
                From: <a href={linkTo.host(move.source)}>{move.source}</a>,
                To: (
                  <>
                    <a href={linkTo.host(move.target)}>{move.target}</a> ({move.why})
                  </>
                ),
                Database: `${move.database} (${move.driver})`,
                Size:
                  bytes === 0
                    ? undefined
                    : `${showBytes(bytes)}${results.preflight === undefined ? '' : `, ${results.preflight.mode}`}`,
                'Writers paused': pause === undefined ? undefined : showDuration(pause),
                'Predicted pause':
                  results.freeze === undefined ? undefined : showDuration(results.freeze.predictedMs),
                Run: String(move.execution.run),
                Planned: <Moment at={move.createdAt} />,
                Cutover:
                  move.cutover === undefined ? undefined : (
                    <>
                      {move.cutover.kind} <Word of={move.cutover} />
                    </>
                  ),
              }}
            />
          </section>
        </div>
      </div>
      <History entries={history} />
    </>
  );
}

/** The batches that want it, where more than one does, or did. */
function Reasons({ of }: { readonly of: readonly MoveReason[] }) {
  if (of.length === 0) return <>nobody any more</>;
  return (
    <ul>
      {of.map(({ batch, by, at, reason }) => (
        <li key={batch}>
          <a href={linkTo.batch(batch)}>{batch}</a> <Word of={{ by, at, reason }} />
        </li>
      ))}
    </ul>
  );
}
