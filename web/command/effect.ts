import { count } from '../../cli/quantity.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import type { Verb } from '../../shared/domain/command.ts';
import type { Host } from '../../shared/domain/host.ts';
import { labelOf, type MoveLabel, type Move } from '../../shared/domain/move.ts';

/** What a command will do, before anybody gives it: what docs/commands.md says, with the figures of this moment. */
export interface Effect {
  readonly verb: Verb;
  /** On the button. */
  readonly title: string;
  /** Sentences: what will happen, and what will not. */
  readonly does: readonly string[];
  /** It cannot be taken back by a verb. */
  readonly isFinal?: true;
}

/** The verbs that can do something to a batch as it is, the most wanted first. */
export function effectsOnBatch(batch: Batch): Effect[] {
  const { state, policy, paused, approved, started, cancelled, cutover } = batch;
  const failed = figure(batch, 'rolled-back', 'stuck');
  const retry: Effect[] =
    failed === 0
      ? []
      : [
          {
            verb: 'retry',
            title: 'Retry',
            does: [
              ...some(
                figure(batch, 'rolled-back'),
                'endpoint',
                'that was not moved is planned anew, as a batch of its own',
                'that were not moved are planned anew, as a batch of their own',
              ),
              ...some(
                figure(batch, 'stuck'),
                'stuck move',
                'goes on where it gave up',
                'go on where they gave up',
              ),
              'What is in quarantine is let out of it.',
            ],
          },
        ];
  if (state === 'completed') return retry;
  if (cancelled !== undefined) return [];
  const isHeld = cutover === undefined ? policy.holdBeforeCutover === true : cutover.kind === 'held';
  return [
    ...(policy.approval === 'required' && approved === undefined ? [approve] : []),
    ...(started === undefined && (policy.start === 'manual' || policy.startAt !== undefined) ? [start] : []),
    paused === undefined ? pauseOf(batch) : resumeOf(batch),
    isHeld
      ? release('Its cutovers go on as soon as each is ready; no other hold stands in their way.')
      : holdOf(batch),
    ...retry,
    cancelOf(batch),
  ];
}

function pauseOf(batch: Batch): Effect {
  return {
    verb: 'pause',
    title: 'Pause',
    does: [
      ...some(figure(batch, 'waiting'), 'move', 'that waits does not begin', 'that wait do not begin'),
      ...some(
        figure(batch, 'transferring'),
        'move',
        'under way goes on copying and following, and waits before its cutover',
        'under way go on copying and following, and wait before their cutovers',
      ),
      ...some(
        figure(batch, 'cutting-over'),
        'move',
        'that is cutting over goes through if its writers are paused already',
        'that are cutting over go through if their writers are paused already',
      ),
      'Clients notice nothing. It stays so until somebody resumes it.',
    ],
  };
}

function resumeOf(batch: Batch): Effect {
  const left = figure(batch, 'waiting', 'transferring', 'cutting-over');
  return {
    verb: 'resume',
    title: 'Resume',
    does: [
      ...some(left, 'move', 'goes on', 'go on'),
      'What else is paused (a host, an endpoint, everything) stays so.',
    ],
  };
}

const approve: Effect = {
  verb: 'approve',
  title: 'Approve',
  does: ['The batch may begin. Whoever asked for it cannot approve of it: that is refused.'],
  isFinal: true,
};
const start: Effect = {
  verb: 'start',
  title: 'Start',
  does: ['The batch begins now, whatever its policy waits for.'],
  isFinal: true,
};
const release = (sentence: string): Effect => ({
  verb: 'release',
  title: 'Release cutovers',
  does: [sentence],
});
const holdOf = (batch: Batch): Effect => ({
  verb: 'hold',
  title: 'Hold cutovers',
  does: [
    'Moves begin and copy as before; each waits before its cutover until it is released.',
    ...some(figure(batch, 'transferring'), 'move', 'under way will wait there', 'under way will wait there'),
  ],
});

function cancelOf(batch: Batch): Effect {
  return {
    verb: 'cancel',
    title: 'Cancel',
    does: [
      ...some(figure(batch, 'waiting'), 'move', 'that waits never begins', 'that wait never begin'),
      ...some(
        figure(batch, 'transferring', 'cutting-over'),
        'move',
        'under way goes back, if it still can',
        'under way go back, if they still can',
      ),
      ...some(
        figure(batch, 'moved', 'retired'),
        'endpoint',
        'has arrived and stays where it is',
        'have arrived and stay where they are',
      ),
      ...some(figure(batch, 'stuck'), 'stuck move', 'stays as it is', 'stay as they are'),
    ],
    isFinal: true,
  };
}

/** The verbs that can do something to a move as it is. */
export function effectsOnMove(move: Move, batch: Pick<Batch, 'policy' | 'cutover'> | undefined): Effect[] {
  const { source, target, endpoint, execution } = move;
  const { status } = execution;
  const state = labelOf(execution);
  switch (state) {
    case 'waiting':
    case 'transferring':
    case 'cutting-over': {
      const isForward = status.state === 'running' && status.forwardOnly;
      if (isForward) return [];
      const hold: Effect = {
        verb: 'hold',
        title: 'Hold its cutover',
        does: [
          'It goes on up to its cutover, and waits there until it is released. If its writers are paused already, it goes through.',
        ],
      };
      return [
        isHeld(move, batch)
          ? { ...release('It cuts over as soon as it is ready.'), title: 'Release its cutover' }
          : hold,
        {
          verb: 'cancel',
          title: 'Cancel',
          does: [
            state === 'waiting'
              ? `It never begins: ${endpoint} stays on ${source}.`
              : `It goes back: ${endpoint} stays on ${source}, and what was made on ${target} is removed.`,
          ],
          isFinal: true,
        },
      ];
    }
    case 'moved':
    case 'retired':
      return [
        {
          verb: 'reverse',
          title: 'Move it back',
          does: [
            `A new batch of one move brings ${endpoint} from ${target} back to ${source}: everything is copied, as by any other move, and no write that was made since is lost.`,
          ],
        },
      ];
    case 'rolled-back':
      return [
        {
          verb: 'retry',
          title: 'Retry',
          does: [
            `${endpoint} is planned anew, as a batch of its own, on the fleet as it is now.`,
            'A quarantine is lifted.',
          ],
        },
      ];
    case 'stuck':
      return [
        {
          verb: 'retry',
          title: 'Retry',
          does: ['It goes on where it gave up, in its direction, with nothing counted against it.'],
        },
      ];
    case 'rolling-back':
      return [];
    default:
      return state satisfies never;
  }
}

/** Of what was said of a move and of its batch the latest word stands. */
function isHeld({ cutover }: Move, batch: Pick<Batch, 'policy' | 'cutover'> | undefined): boolean {
  const words = [batch?.cutover, cutover].flatMap((word) => word ?? []);
  const [latest] = words.toSorted((one, other) => other.at - one.at);
  return latest === undefined ? batch?.policy.holdBeforeCutover === true : latest.kind === 'held';
}

/** The verbs that can do something to a host as it is. */
export function effectsOnHost({ name, paused, permitsOut, permitsIn }: Host): Effect[] {
  const busy = permitsOut.length + permitsIn.length;
  return paused === undefined
    ? [
        {
          verb: 'pause',
          title: 'Pause',
          does: [
            `Nothing begins to leave ${name} or to come to it, and nothing cuts over.`,
            ...some(
              busy,
              'move',
              'under way goes on copying and following',
              'under way go on copying and following',
            ),
            'What it serves is served as before.',
          ],
        },
      ]
    : [
        {
          verb: 'resume',
          title: 'Resume',
          does: [`Moves from and to ${name} go on, unless they are held back otherwise.`],
        },
      ];
}

/** `12 moves that wait do not begin.`; nothing of none. */
function some(figures: number, noun: string, one: string, many: string): string[] {
  return figures <= 0 ? [] : [`${count(figures, noun)} ${figures === 1 ? one : many}.`];
}

const figure = ({ counts }: Batch, ...labels: readonly MoveLabel[]): number =>
  labels.reduce((sum, label) => sum + Math.max(0, counts[label] ?? 0), 0);
