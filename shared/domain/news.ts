import type { Batch } from './batch.ts';
import type { Blocker } from './blockers.ts';
import { healer } from './healing.ts';
import type { BatchId, HostName } from './ids.ts';
import type { Move, MoveLabel } from './move.ts';
import type { News } from './notification.ts';

/** A move that cannot go on, nor back, without a person; one for each time. */
export function stuckMove({ id, batch, endpoint, source, target, execution }: Move): News | undefined {
  const { status } = execution;
  if (status.state !== 'stuck') return undefined;
  const { code, sentence, cure } = status.reason;
  const doing = status.direction === 'back' ? `undoing ${status.step}` : status.step;
  return {
    id: `${id}:stuck:${String(status.endedAt)}`,
    kind: 'move-stuck',
    subject: `the move of ${endpoint} from ${source} to ${target} is stuck`,
    what: `The move of ${endpoint} from ${source} to ${target} has stopped in ${doing}, and goes neither on nor back by itself.`,
    why: [`${sentence} (${code})`],
    next: [cure, `dray explain ${endpoint}`, `dray move show ${id}`],
    about: { move: id, batch, endpoint, source, target, step: status.step, code },
  };
}

/** A host that has failed is emptied without anybody asking. @param signals why it counts as failed */
export function begunHealing(
  host: HostName,
  batch: BatchId,
  signals: readonly string[],
  endpoints: number,
): News {
  const these = endpoints === 1 ? 'The endpoint' : `The ${String(endpoints)} endpoints`;
  return {
    id: `${batch}:healing`,
    kind: 'healing-begun',
    subject: `${host} has failed and is being emptied`,
    what: `Host ${host} has failed and did not recover in time. ${these} on it that nobody moves yet ${endpoints === 1 ? 'is' : 'are'} being moved away.`,
    why: signals.map((signal) => `${host}: ${signal}`),
    next: [
      `dray batch watch ${batch}`,
      `dray explain ${host}`,
      `if ${host} is well: dray host recover ${host}`,
      'to have no more hosts emptied by themselves: dray knob healing off --reason …',
    ],
    about: { host, batch, endpoints },
  };
}

/** A batch of which nothing begins before somebody other than its author has approved of it. */
export function approvalWanted({ id, reason, requestSource }: Batch): News {
  return {
    id: `${id}:approval`,
    kind: 'approval-wanted',
    subject: `batch ${id} waits for an approval`,
    what: `Batch ${id} (${reason}), asked for by ${requestSource}, waits for the approval of somebody else.`,
    why: [],
    next: [
      `dray batch show ${id}`,
      `dray batch approve ${id} --reason …`,
      `dray batch cancel ${id} --reason …`,
    ],
    about: { batch: id, author: requestSource },
  };
}

const fewReasons = 5;

/** A batch in which nothing is left to do. @param ended what has ended its moves otherwise than asked for */
export function finishedBatch(
  { id, requestSource, reason, failure, unknown, skipped }: Batch,
  counts: Readonly<Partial<Record<MoveLabel, number>>>,
  ended: readonly Blocker[],
): News {
  const of = (...labels: readonly MoveLabel[]): number =>
    labels.reduce((sum, label) => sum + (counts[label] ?? 0), 0);
  const [moved, back, stuck] = [of('moved', 'retired'), of('rolled-back'), of('stuck')];
  const left = (unknown?.count ?? 0) + (skipped?.lines ?? 0);
  const total = moved + back + stuck;
  const isWhole = moved === total && left === 0 && failure === undefined;
  return {
    id: `${id}:completed`,
    kind: requestSource === healer ? 'healing-ended' : 'batch-finished',
    subject: `batch ${id} is finished: ${isWhole ? `all ${String(total)} moved` : `${String(moved)} of ${String(total)} moved`}`,
    what: [
      `Batch ${id} (${reason}) is finished: ${String(moved)} of ${String(total)} endpoints moved`,
      ...(back === 0 ? [] : [`${String(back)} stayed where ${back === 1 ? 'it was' : 'they were'}`]),
      ...(stuck === 0 ? [] : [`${String(stuck)} ${stuck === 1 ? 'is' : 'are'} stuck`]),
    ]
      .join(', ')
      .concat('.'),
    why: [
      ...(failure === undefined ? [] : [`${failure.sentence} (${failure.code}); ${failure.cure}`]),
      ...ended.slice(0, fewReasons).map(reasonLine),
      ...(ended.length > fewReasons ? [`and ${String(ended.length - fewReasons)} reasons more`] : []),
      ...(unknown === undefined ? [] : [`${String(unknown.count)}: not registered, or not readable`]),
      ...(skipped === undefined ? [] : [`${String(skipped.lines)}: lines of the manifest that were wrong`]),
    ],
    next: isWhole
      ? [`nothing; to look at it: dray batch show ${id}`]
      : [
          `dray batch show ${id}`,
          ...ended
            .slice(0, 3)
            .flatMap(({ examples: [first] }) => (first === undefined ? [] : [`dray explain ${first}`])),
        ],
    about: { batch: id, moved, rolledBack: back, stuck, left },
  };
}

const reasonLine = ({ moves, on, code, cure }: Blocker): string =>
  `${String(moves)}: ${on} (${code})${cure === undefined ? '' : `; ${cure}`}`;
