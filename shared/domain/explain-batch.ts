import { blockersOf, type Blocker } from './blockers.ts';
import type { Batch } from './batch.ts';
import { dueText, overdue } from './deadline.ts';
import type { Execution } from './execution.ts';
import { hasFailed, type Explanation, type Outlook } from './explain.ts';
import { gatesOf, type GateScene } from './gate.ts';
import type { Host } from './host.ts';
import type { HostName } from './ids.ts';
import { labelOf, type Move, type MoveLabel } from './move.ts';

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
