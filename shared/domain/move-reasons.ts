import type { Batch } from './batch.ts';
import { decide } from './decide.ts';
import type { FactOf } from './fact.ts';
import type { Failure } from './failure.ts';
import type { Hold } from './pause.ts';
import type { BatchId, HostName, MoveId } from './ids.ts';
import { isSettled, labelOf, type Move, type MoveReason } from './move.ts';
import type { MovePolicy } from './policy.ts';
import type { Effect } from './transition.ts';
import type { WorkflowShape } from './workflow-shape.ts';

type Wanted = Pick<Move, 'id' | 'batch' | 'reasons'>;

/** They stand in the move's row, which is written with each of its steps. */
const mostReasons = 8;
const longestText = 120;

/** Why a batch wants an endpoint moved that it counts by this move. */
export const reasonOf = (
  { id, priority, requestSource, createdAt, reason }: Batch,
  move: MoveId,
): MoveReason => ({
  batch: id,
  move,
  priority,
  by: requestSource,
  at: createdAt,
  reason: reason.slice(0, longestText),
});

/**
 * The batch whose words count for a move (pauses, holds, approval, window): of those that want it the most urgent, and
 * of equally urgent ones the first.
 */
export function leadOf({ batch, reasons = [] }: Pick<Move, 'batch' | 'reasons'>): BatchId {
  const [first, ...others] = reasons;
  if (first === undefined) return batch;
  return others.reduce((lead, each) => (each.priority > lead.priority ? each : lead), first).batch;
}

/** Does a batch want it that counts it by this move? One that nobody has joined is wanted by its own. */
export const isWantedAs = ({ id, reasons }: Wanted, move: MoveId): boolean =>
  reasons === undefined ? id === move : reasons.some((reason) => reason.move === move);

/** What a batch asks for that might join a move: from where, to where if it says so, and how. */
export interface Joining {
  readonly source: HostName;
  readonly wanted?: HostName | undefined;
  readonly policy: MovePolicy;
}

/** Why a move is not what a batch asks for, completing "by mv_…, …"; undefined: it is. */
export function obstacleToJoining(move: Move, { source, wanted, policy }: Joining): string | undefined {
  const { status } = move.execution;
  if (move.source !== source) return `which takes it away from ${move.source}`;
  if (status.state === 'rolling-back' || isSettled(labelOf(move.execution))) return 'which goes back';
  if (wanted !== undefined && wanted !== move.target) return `to ${move.target}`;
  if (move.policy.offline === 'allow' && policy.offline === 'refuse')
    return 'which may shut its clients out for the whole copy';
  if (move.policy.roles === 'copy' && policy.roles === 'require') return 'which copies its roles';
  if (move.policy.pauseBudgetMs > policy.pauseBudgetMs) return 'which may pause writers for longer';
  if (move.policy.retentionMs < policy.retentionMs) return 'which keeps the source copy for less long';
  if ((move.reasons?.length ?? 1) >= mostReasons) return 'for as many batches as one move can serve';
  return undefined;
}

/**
 * A move with one more reason, and as urgent as the most urgent of them.
 * @param own that of its own batch, which need not be noted before there is another
 * @returns the same object when the reason is there already
 */
export function withReason(move: Move, own: MoveReason, reason: MoveReason, now: number): Move {
  const reasons = move.reasons ?? [own];
  if (reasons.some((each) => each.move === reason.move)) return move;
  const note = `batch ${reason.batch} wants it too: ${reason.reason}`;
  return {
    ...move,
    reasons: [...reasons, reason],
    priority: Math.max(move.priority, reason.priority),
    execution: { ...move.execution, last: { fact: 'joined', at: now, by: reason.by, note } },
  };
}

export type Withdrawal =
  | { readonly kind: 'next'; readonly move: Move; readonly effects: readonly Effect[] }
  /** It goes back already, or nobody wants it for this reason. */
  | { readonly kind: 'so-already' }
  /** It can only go forward, has arrived, or is stuck: nothing is changed. */
  | { readonly kind: 'too-late' };

/**
 * Takes one reason away. While there are others the move goes on, as urgent as the most urgent of them; with the last
 * one it goes back, if it still can.
 *
 * @param of the move by which the batch counts it
 * @param failure why it goes back then
 */
export function withoutReason(
  shape: WorkflowShape,
  move: Move,
  of: MoveId,
  failure: Failure,
  { by, reason }: Pick<Hold, 'by' | 'reason'>,
  now: number,
): Withdrawal {
  if (!isWantedAs(move, of)) return { kind: 'so-already' };
  const decision = decide(shape, move.execution, { kind: 'abandoned', failure }, now, by);
  if (decision.kind === 'ignored') {
    const { state } = move.execution.status;
    return { kind: state === 'rolling-back' || state === 'rolled-back' ? 'so-already' : 'too-late' };
  }
  const { reasons } = move;
  const left = reasons?.filter((each) => each.move !== of) ?? [];
  if (left.length === 0) {
    const last = reasons === undefined ? {} : { reasons: left };
    return {
      kind: 'next',
      move: { ...move, ...last, execution: decision.execution },
      effects: decision.effects,
    };
  }
  const whose = reasons?.find((each) => each.move === of)?.batch ?? move.batch;
  const note = `batch ${whose} does not want it any more (${reason}); ${left.map(({ batch }) => batch).join(', ')} does`;
  return {
    kind: 'next',
    move: {
      ...move,
      reasons: left,
      priority: Math.max(...left.map(({ priority }) => priority)),
      execution: { ...move.execution, last: { fact: 'withdrawn', at: now, by, note } },
    },
    effects: [],
  };
}

/** What those learn that are joined to a move once it has ended. @returns undefined: it has not */
export function endForJoined({ id, endpoint, execution }: Move): FactOf<'carrier-ended'> | undefined {
  const { status } = execution;
  switch (status.state) {
    case 'stuck':
      return {
        kind: 'carrier-ended',
        failure: {
          code: 'joined-stuck',
          sentence: `move ${id}, which was to take ${endpoint} along, is stuck in ${status.step}: ${status.reason.sentence}`,
          cure: `see what it needs: dray explain ${id}`,
        },
      };
    case 'rolled-back':
      return { kind: 'carrier-ended', failure: status.reason };
    case 'completed':
      return { kind: 'carrier-ended' };
    case 'running':
      return labelOf(execution) === 'moved' ? { kind: 'carrier-ended' } : undefined;
    case 'waiting':
    case 'rolling-back':
      return undefined;
    default:
      return status satisfies never;
  }
}
