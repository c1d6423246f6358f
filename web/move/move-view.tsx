import { pauseOf, sizeOf } from '../../cli/batch-report.ts';
import { showBytes, showDuration } from '../../cli/quantity.ts';
import { blockersOf } from '../../shared/domain/blockers.ts';
import { explainMove } from '../../shared/domain/explain.ts';
import { gatesOf } from '../../shared/domain/gate.ts';
import type { MoveId } from '../../shared/domain/ids.ts';
import { labelOf } from '../../shared/domain/move.ts';
import { resultsOf } from '../../shared/workflow/move-endpoint/results.ts';
import { useFeed } from '../api/feed.ts';
import { Commands } from '../command/command-dialog.tsx';
import { effectsOnMove } from '../command/effect.ts';
import { Blockers } from '../parts/blockers.tsx';
import { Facts } from '../parts/facts.tsx';
import { StateWord } from '../parts/look.tsx';
import { Prose } from '../parts/prose.tsx';
import { Ago, Moment } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
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
  of: { move, batch, hosts, history, at },
  look,
}: {
  readonly of: MoveNow;
  readonly look: () => void;
}) {
  const { sentence, since, actions } = explainMove(move, hosts);
  const blockers = blockersOf([move], hosts, gatesOf({ fleet: {}, batch }, hosts, at));
  const state = labelOf(move.execution);
  const results = resultsOf(move);
  const bytes = sizeOf(move);
  const pause = pauseOf(move);
  return (
    <>
      <p class="lead">
        <StateWord state={state} /> · <Prose text={sentence} />
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
          <section class="panel" aria-labelledby="why">
            <h2 id="why">Why it waits</h2>
            {blockers.length === 0 ? (
              <p class="faint">Nothing is in its way.</p>
            ) : (
              <Blockers blockers={blockers} isOne />
            )}
          </section>
          <section class="panel" aria-labelledby="next">
            <h2 id="next">What can be done next</h2>
            {actions.length === 0 ? (
              <p class="faint">Nothing needs to be done.</p>
            ) : (
              <ul>
                {actions.map((action) => (
                  <li key={action}>
                    <Prose text={action} />
                  </li>
                ))}
              </ul>
            )}
          </section>
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
