import { blockersOf, type Blocker } from './blockers.ts';
import type { Batch } from './batch.ts';
import { dueText, overdue } from './deadline.ts';
import type { Eta } from './eta.ts';
import { isTerminal, type Execution } from './execution.ts';
import type { Failure } from './failure.ts';
import { gatesOf, type Closed, type GateScene } from './gate.ts';
import type { Host } from './host.ts';
import type { HostName } from './ids.ts';
import type { LimitOf } from './limit-waits.ts';
import { isSettled, labelOf, type Move, type MoveLabel } from './move.ts';
import type { Placement } from './placement.ts';
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

/**
 * A batch with its moves.
 * @param hosts those that its moves name, as far as they are known
 * @param at epoch milliseconds: whether it is late; without it that is not said
 * @param said whether everything is paused, how its maintenance window stands, and how many moves were not looked at
 */
export function explainBatch(
  batch: Batch,
  moves: readonly Move[],
  hosts: ReadonlyMap<HostName, Host> = new Map(),
  at = -Infinity,
  { limitOf, unread = {}, ...said }: SaidOfBatch = { fleet: {} },
): Explanation {
  const others = (...labels: readonly MoveLabel[]): number =>
    labels.reduce((sum, label) => sum + (unread[label] ?? 0), 0);
  const total = batch.total ?? moves.length;
  const arrived = moves.filter(({ execution }) => hasArrived(execution)).length + others('moved', 'retired');
  const failed = moves.filter(({ execution }) => hasFailed(execution));
  const losses = failed.length + others('rolled-back', 'stuck');
  const isOpen = batch.state !== 'completed';
  const due = isOpen ? dueText(batch.deadline) : '';
  const late = isOpen ? overdue(batch.deadline, at, total - arrived - losses) : [];
  return {
    subject: `batch ${batch.id} (${batch.reason})`,
    sentence: batchSentence(batch, total, arrived, losses) + due + lookedAt(moves.length, unread),
    since: batch.endedAt ?? batch.createdAt,
    blockers: [
      ...late,
      ...unplanned(batch),
      ...blockersOf(moves, hosts, gatesOf({ ...said, batch }, hosts, at), limitOf),
      ...notUndone(batch, arrived),
      ...unknownEndpoints(batch),
      ...skippedLines(batch),
    ],
    actions: failed.length > 0 ? failed.slice(0, 3).map(({ id }) => `dray explain ${id}`) : watching(batch),
  };
}

type SaidOfBatch = Pick<GateScene, 'fleet' | 'window'> &
  Pick<Outlook, 'limitOf'> & { readonly unread?: Readonly<Partial<Record<MoveLabel, number>>> };

function lookedAt(read: number, unread: Readonly<Partial<Record<MoveLabel, number>>>): string {
  const others = Object.values(unread).reduce((sum, figure) => sum + figure, 0);
  return others === 0 ? '' : `; ${String(read)} of its ${String(read + others)} moves were looked at`;
}

/** What had arrived of a batch when it was cancelled, or could only go forward. */
function notUndone({ id, cancelled }: Batch, arrived: number): Blocker[] {
  if (cancelled === undefined || arrived === 0) return [];
  return [
    {
      kind: 'ended',
      code: 'not-undone',
      on: 'had arrived when the batch was cancelled, or could only go forward',
      moves: arrived,
      since: cancelled.at,
      cure: `move one of them back: dray move reverse <id>; dray batch show ${id} names them`,
      examples: [],
    },
  ];
}

const watching = ({ id, state }: Batch): string[] =>
  state === 'completed' ? [] : [`dray batch watch ${id}`];

function batchSentence(batch: Batch, total: number, arrived: number, failed: number): string {
  const { cancelled } = batch;
  const progress = howFar(batch, total, arrived, failed);
  return cancelled === undefined
    ? progress
    : `was cancelled by ${cancelled.by} (${cancelled.reason}); ${progress}`;
}

function howFar({ state, planned }: Batch, total: number, arrived: number, failed: number): string {
  const progress = `${String(arrived)} of ${String(total)} moved`;
  const losses = failed === 0 ? '' : `, ${String(failed)} not`;
  switch (state) {
    case 'planning':
      return `is being planned: ${String(planned)} of ${total === 0 ? 'its' : String(total)} endpoints have a move; ${progress}${losses}`;
    case 'running':
      return `runs: ${progress}${losses}`;
    case 'completed':
      return `completed: ${progress}${losses}`;
    default:
      return state satisfies never;
  }
}

function unplanned(batch: Batch): Blocker[] {
  const failure = batch.failure ?? batch.unmet;
  if (failure === undefined) return [];
  const { code, sentence, cure } = failure;
  return [{ kind: 'ended', code, on: sentence, moves: 0, cure, examples: [] }];
}

function unknownEndpoints({ unknown }: Batch): Blocker[] {
  if (unknown === undefined) return [];
  return [
    {
      kind: 'ended',
      code: 'endpoint-unknown',
      on: `not registered, or their rows cannot be read: ${unknown.examples.join(', ')}`,
      moves: unknown.count,
      cure: 'register them (dray endpoint add), then ask for them again',
      examples: [],
    },
  ];
}

function skippedLines({ id, skipped }: Batch): Blocker[] {
  if (skipped === undefined) return [];
  return [
    {
      kind: 'ended',
      code: 'manifest-lines',
      on: 'lines of its manifest were wrong and left out',
      moves: skipped.lines,
      cure: `see what is wrong with each: dray manifest report ${id}; correct them and put them as a manifest of their own`,
      examples: [],
    },
  ];
}

const hasArrived = (execution: Execution): boolean => ['moved', 'retired'].includes(labelOf(execution));
const hasFailed = (execution: Execution): boolean => ['rolled-back', 'stuck'].includes(labelOf(execution));

/** An endpoint. @param move the one that has it, or else the last one that had it, if there was one */
export function explainEndpoint(
  placement: Placement,
  move: Move | undefined,
  hosts: ReadonlyMap<HostName, Host> = new Map(),
  outlook: Outlook = {},
): Explanation {
  const { endpoint, host, database, epoch } = placement;
  const where = `is on ${host} (database ${database}, epoch ${String(epoch)}) and ${writability(placement)}`;
  const subject = `endpoint ${endpoint}`;
  const elsewhere = [`dray move ${endpoint} --to <host>`];
  if (move === undefined) return { subject, sentence: where, blockers: [], actions: elsewhere };
  const { sentence, blockers, actions, since } = explainMove(move, hosts, outlook);
  const isHeld = placement.claim?.move === move.id;
  const which = isHeld ? `${move.id} moves it` : `its last move was ${move.id},`;
  return {
    subject,
    sentence: `${where}; ${which} from ${move.source} to ${move.target}: ${sentence}`,
    ...(since === undefined ? {} : { since }),
    blockers,
    actions: [
      ...new Set([
        ...actions,
        ...(isHeld || hasFailed(move.execution) ? [] : elsewhere),
        `dray move show ${move.id}`,
      ]),
    ],
  };
}

function writability({ arbitration }: Placement): string {
  switch (arbitration.kind) {
    case 'serving':
      return 'serves';
    case 'frozen':
      return 'is frozen for its cutover';
    case 'thawing':
      return 'is being opened again where it was';
    case 'flipped':
      return `has just left ${arbitration.from}; it is still closed`;
    case 'opening':
      return `has left ${arbitration.from} and is being opened`;
    default:
      return arbitration satisfies never;
  }
}
