import type { Execution } from './execution.ts';
import type { CutoverWord } from './pause.ts';
import type { BatchId, EndpointName, HostName, MoveId } from './ids.ts';
import type { MovePolicy } from './policy.ts';
import type { Traced } from './trace.ts';
import { moveEndpointShape } from './workflow-shape.ts';

/** One of several reasons to move an endpoint away from where it is: one move serves them all. */
export interface MoveReason {
  readonly batch: BatchId;
  /** The move by which that batch counts the endpoint: the one that is made, or one that is joined to it. */
  readonly move: MoveId;
  readonly priority: number;
  /** Who asked for the batch, when (epoch milliseconds), and why. */
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** One endpoint on its way from one host to another. */
export interface Move extends Traced {
  readonly id: MoveId;
  readonly batch: BatchId;
  readonly endpoint: EndpointName;
  readonly driver: string;
  readonly database: string;
  readonly source: HostName;
  readonly target: HostName;
  /** Why this target, in a sentence. */
  readonly why: string;
  /** The endpoint's epoch when the move claimed it. */
  readonly epoch: number;
  readonly policy: MovePolicy;
  /** Higher goes first. */
  readonly priority: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Its cutover is held, or released. */
  readonly cutover?: CutoverWord;
  readonly execution: Execution;
  /** Who wants it, once that is more than its own batch. Empty: nobody does any more. */
  readonly reasons?: readonly MoveReason[];
  /** The move of another batch that takes the endpoint away for this one too: its end is the end of this one. */
  readonly joined?: { readonly move: MoveId; readonly batch: BatchId };
  /** The end of which people have been told that it is stuck (epoch milliseconds): retried, it may get stuck again. */
  readonly stuckTold?: number;
  readonly version: number;
}

/** Is it stuck, and nobody has been told? */
export const isStuckUntold = ({ execution: { status }, stuckTold }: Move): boolean =>
  status.state === 'stuck' && stuckTold !== status.endedAt;

/** Coarse states: what people see, what indexes hold, what batches count. */
export const moveLabels = [
  'waiting',
  'transferring',
  'cutting-over',
  'moved',
  'retired',
  'rolling-back',
  'rolled-back',
  'stuck',
] as const;
export type MoveLabel = (typeof moveLabels)[number];

/** The same, those first of which whoever looks at a batch wants to know first. */
export const mostTellingLabels: readonly MoveLabel[] = [
  'stuck',
  'cutting-over',
  'rolling-back',
  'rolled-back',
  'transferring',
  'waiting',
  'moved',
  'retired',
];

const labelsOfPhase: Readonly<Record<(typeof moveEndpointShape.steps)[number]['phase'], MoveLabel>> =
  moveEndpointShape.labels;

/** `moved`: the endpoint serves from its new host; the source copy waits to be retired. `retired`: that is done too. */
export function labelOf(execution: Execution): MoveLabel {
  const { status } = execution;
  switch (status.state) {
    case 'running':
      return labelsOfPhase[phaseName(status.step)];
    case 'completed':
      return 'retired';
    case 'waiting':
    case 'rolling-back':
    case 'rolled-back':
    case 'stuck':
      return status.state;
    default:
      return status satisfies never;
  }
}

/** A step that this release does not know counts as transfer: such a row must still be written, to set it aside. */
function phaseName(step: string): 'transfer' | 'cutover' | 'retire' {
  const phase = moveEndpointShape.steps.find(({ name }) => name === step)?.phase;
  return phase ?? 'transfer';
}

/** Is its batch done with it? A move that only waits for its source copy to be retired has arrived. */
export function isSettled(label: MoveLabel): boolean {
  return label === 'moved' || label === 'retired' || label === 'rolled-back' || label === 'stuck';
}

/** What a move waits for that is in line. */
export const permitWait = ({
  source,
  target,
}: Pick<Move, 'source' | 'target'>): { readonly code: string; readonly on: string } => ({
  code: 'permit',
  on: `a permit on ${source} and ${target}`,
});
