import { blockersOf, type Blocker } from './blockers.ts';
import type { Eta } from './eta.ts';
import { isTerminal, type Execution } from './execution.ts';
import type { Failure } from './failure.ts';
import type { Closed } from './gate.ts';
import type { Host } from './host.ts';
import type { HostName } from './ids.ts';
import type { LimitOf } from './limit-waits.ts';
import { isSettled, labelOf, type Move } from './move.ts';
import { isOf, moveEndpointShape } from './workflow-shape.ts';

/** One answer to "what is going on here, why does it not go on, and what can I do?" */
export interface Explanation {
  /** What it is about, e.g. `move mv_… of shop`. */
  readonly subject: string;
  /** What it does, or waits for, or ended as. */
  readonly sentence: string;
  /** Since when (epoch milliseconds) it is so, where that is known. */
  readonly since?: number;
  /** When what can go on will have arrived, where enough has been measured. */
  readonly eta?: Eta;
  /** What is in the way; that of the most moves first. */
  readonly blockers: readonly Blocker[];
  /** What a person can do next: commands and cures. */
  readonly actions: readonly string[];
}

/** What a piece of work does, or waits for, or ended as, in a sentence. */
export function explainState({ status }: Execution): string {
  switch (status.state) {
    case 'waiting':
      return `waits for ${status.waiting.on}`;
    case 'running':
    case 'rolling-back': {
      const doing = status.state === 'running' ? status.step : `undo of ${status.step}`;
      if (status.waiting !== undefined) return `${doing}: ${status.waiting.on}`;
      if (status.lastFailure !== undefined && status.failures > 0) {
        return `${doing}, after ${String(status.failures)} failed: ${tell(status.lastFailure)}`;
      }
      return doing;
    }
    case 'completed':
      return 'done';
    case 'rolled-back':
      return `rolled back: ${tell(status.reason)}`;
    case 'stuck':
      return `stuck in ${status.direction === 'back' ? 'the undo of ' : ''}${status.step}: ${tell(status.reason)}`;
    default:
      return status satisfies never;
  }
}

const tell = ({ code, sentence, cure }: Failure): string => `${sentence} (${code}); ${cure}`;

/** What is known beside the rows of moves and hosts of why moves wait. */
export interface Outlook {
  /** What people, or the clock, hold a move back with. */
  readonly gateOf?: (move: Move) => Closed | undefined;
  /** The limit at which a move waits that has permits on its hosts. */
  readonly limitOf?: LimitOf;
}

/** One move. @param hosts its source and target, as far as they are known: they tell which of them is full */
export function explainMove(
  move: Move,
  hosts: ReadonlyMap<HostName, Host> = new Map(),
  { gateOf, limitOf }: Outlook = {},
): Explanation {
  const { execution } = move;
  const since = sinceWhen(execution);
  const blockers = blockersOf([move], hosts, gateOf, limitOf);
  return {
    subject: `move ${move.id} of ${move.endpoint}, ${move.source} → ${move.target}`,
    sentence: `${sentenceOf(move, blockers)}${wantedBy(move)}`,
    ...(since === undefined ? {} : { since }),
    blockers,
    actions: actionsFor(move),
  };
}

/** What has ended needs no release any more. */
const isKnown = (execution: Execution): boolean =>
  isOf(moveEndpointShape, execution) || isTerminal(execution.status.state);

/** Of a move that several batches want: which, and how one of them leaves. */
function wantedBy({ reasons = [], execution }: Move): string {
  if (reasons.length < 2 || isSettled(labelOf(execution))) return '';
  const who = reasons.map(({ batch, reason }) => `${batch} (${reason})`).join(', ');
  return `; ${String(reasons.length)} batches want it: ${who}`;
}

function sentenceOf({ joined, execution }: Move, [blocker]: readonly Blocker[]): string {
  if (!isKnown(execution))
    return `has begun by the workflow ${execution.workflow}, which the release that is deployed does not know: it is left as it is until one that does is deployed`;
  const label = labelOf(execution);
  if (label === 'retired' && joined !== undefined) return `moved, by ${joined.move} of batch ${joined.batch}`;
  if (label === 'retired') return 'moved; the copy on the source has been retired';
  if (label === 'moved') return `moved; ${retirement(execution)}`;
  // Why it waits is known better now than when it began to.
  if (label === 'waiting' && blocker !== undefined) return `waits for ${blocker.on}`;
  return explainState(execution);
}

/** What is still to be done for a move that has arrived. */
function retirement({ status }: Execution): string {
  if (status.state !== 'running') return 'the source copy is still there';
  return status.waiting?.on ?? 'the source copy is being retired';
}

function sinceWhen({ status, last }: Execution): number | undefined {
  switch (status.state) {
    case 'waiting':
      return status.waiting.since;
    case 'running':
    case 'rolling-back':
      return status.hinderedSince ?? status.waiting?.since ?? last.at;
    case 'completed':
    case 'rolled-back':
    case 'stuck':
      return status.endedAt;
    default:
      return status satisfies never;
  }
}

function actionsFor({ id, endpoint, source, target, joined, execution }: Move): string[] {
  const { status } = execution;
  if (!isKnown(execution)) return ['deploy the release that made it'];
  switch (status.state) {
    case 'waiting':
      if (joined !== undefined) return [`dray explain ${joined.move}`, `dray move withdraw ${id} --reason …`];
      return [`dray explain ${source}`, `dray explain ${target}`];
    case 'running':
    case 'rolling-back': {
      if (labelOf(execution) === 'moved') return [];
      const hindrance =
        status.hinderedSince === undefined && status.failures === 0 ? undefined : status.lastFailure;
      return [...(hindrance === undefined ? [] : [hindrance.cure]), `dray move show ${id}`];
    }
    case 'rolled-back':
      return [
        status.reason.cure,
        source === target ? `dray move ${endpoint} --to <host>` : `dray move ${endpoint} --to ${target}`,
      ];
    case 'stuck':
      return [status.reason.cure, `dray move show ${id}`];
    case 'completed':
      return [];
    default:
      return status satisfies never;
  }
}

/** It will not arrive by itself. */
export const hasFailed = (execution: Execution): boolean =>
  ['rolled-back', 'stuck'].includes(labelOf(execution));
