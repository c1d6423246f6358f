import { count, showDuration, showElapsed } from '../../cli/quantity.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { moveLabels } from '../../shared/domain/move.ts';
import { useFeed } from '../api/feed.ts';
import { Commands } from '../command/command-dialog.tsx';
import { effectsOnBatch } from '../command/effect.ts';
import { Facts } from '../parts/facts.tsx';
import { Moment, now, timeOfDay } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
import { Why } from '../parts/why.tsx';
import { Word } from '../parts/word.tsx';
import { stateOf } from './batch-list.tsx';
import { BatchSource, type BatchNow } from './batch-source.ts';
import { EtaBand } from './eta-band.tsx';
import { MoveList } from './move-list.tsx';
import { PauseHistogram } from './pause-histogram.tsx';
import { arrivedOf, Counts, ProgressBar } from './progress-bar.tsx';
import { StepsChart } from './steps-chart.tsx';

export function BatchView({ id }: { readonly id: BatchId }) {
  const { reading, now: look } = useFeed(id, () => new BatchSource(id));
  const title = reading.value?.batch.reason ?? id;
  return (
    <View title={title === '' ? id : title} reading={reading}>
      {(known) => <Shown of={known} look={look} />}
    </View>
  );
}

function Shown({ of: known, look }: { readonly of: BatchNow; readonly look: () => void }) {
  const { batch, moves, alike, explained, at } = known;
  const { total, counts } = batch;
  const isOver = batch.state === 'completed';
  return (
    <>
      <p class="lead">
        <code>{batch.id}</code> {stateOf(batch)}: <b>{arrivedOf(counts).toLocaleString('en')}</b> of{' '}
        {total === undefined ? 'its endpoints, which are being planned,' : count(total, 'endpoint')} moved
        {isOver
          ? ` in ${showDuration((batch.endedAt ?? at) - batch.createdAt)}`
          : `, ${showElapsed(now.value - batch.createdAt)} so far`}
      </p>
      <ProgressBar counts={counts} {...(total === undefined ? {} : { total })} label="Progress" />
      <Counts counts={counts} />
      {isOver ? null : (
        <EtaBand
          eta={explained.explanation?.eta}
          at={at}
          {...(batch.deadline === undefined ? {} : { deadline: batch.deadline })}
        />
      )}
      <Commands
        effects={effectsOnBatch(batch)}
        subject={{ kind: 'batches', id: batch.id, called: `batch ${batch.id}` }}
        done={look}
      />
      <div class="beside">
        <Why
          title="What is in the way"
          of={explained}
          nothing={
            isOver
              ? 'It is over, and nothing was in its way.'
              : 'Nothing: all that is under way simply works.'
          }
        />
        <section class="panel" aria-labelledby="facts">
          <h2 id="facts">What was asked for</h2>
          <Facts
            of={{
              'Asked by': batch.requestSource,
              When: <Moment at={batch.createdAt} />,
              Priority: String(batch.priority),
              Deadline: batch.deadline === undefined ? undefined : <Moment at={batch.deadline} />,
              Paused: batch.paused === undefined ? undefined : <Word of={batch.paused} />,
              Resumed: batch.resumed === undefined ? undefined : <Word of={batch.resumed} />,
              Approval:
                batch.approved !== undefined ? (
                  <Word of={batch.approved} />
                ) : batch.policy.approval === 'required' ? (
                  'needed'
                ) : undefined,
              Started: batch.started === undefined ? undefined : <Word of={batch.started} />,
              Cutovers:
                batch.cutover === undefined ? undefined : (
                  <>
                    {batch.cutover.kind} <Word of={batch.cutover} />
                  </>
                ),
              Cancelled: batch.cancelled === undefined ? undefined : <Word of={batch.cancelled} />,
              'Pause budget': showDuration(batch.policy.pauseBudgetMs),
              Window:
                batch.policy.window === undefined
                  ? undefined
                  : `${batch.policy.window.cron} (${batch.policy.window.timeZone}), for ${showDuration(batch.policy.window.durationMs)}`,
              'As of': timeOfDay(at),
            }}
          />
        </section>
      </div>
      <PauseHistogram moves={moves} budgetMs={batch.policy.pauseBudgetMs} arrived={arrivedOf(counts)} />
      <StepsChart moves={moves} at={at} />
      <MoveList
        moves={[...moves, ...alike]}
        inAll={moveLabels.reduce((sum, label) => sum + Math.max(0, counts[label] ?? 0), 0)}
      />
    </>
  );
}
