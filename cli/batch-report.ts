import type { Batch } from '../shared/domain/batch.ts';
import type { Failure } from '../shared/domain/failure.ts';
import type { Hold } from '../shared/domain/pause.ts';
import { labelOf, type Move, type MoveLabel } from '../shared/domain/move.ts';
import { isArrived, pauseOf, sizeOf, type BatchSnapshot } from '../shared/workflow/explain/batch-snapshot.ts';

/** A batch for programs; this shape is stable (docs/cli.md). */
export interface BatchReport {
  readonly batch: string;
  readonly state: Batch['state'];
  readonly reason: string;
  readonly moves: {
    readonly total: number;
    readonly moved: number;
    readonly rolledBack: number;
    readonly stuck: number;
  };
  /** Milliseconds in which writers could not write, over the moves that have arrived; null when none has. */
  readonly pauseMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
  /** Bytes of the endpoints that have arrived. */
  readonly bytes: number;
  /** From the request to the end of the batch, or until now. */
  readonly seconds: number;
  readonly endpoints: readonly EndpointReport[];
  /** Only when endpoints were asked for that are not registered. */
  readonly unknown?: { readonly count: number; readonly examples: readonly string[] };
  /** Only when lines of its manifest were wrong and left out. */
  readonly skipped?: { readonly lines: number };
  /** Only when somebody has cancelled it. */
  readonly cancelled?: Hold;
  /** Only when nothing could be planned. */
  readonly failure?: Failure;
  /** Only when the plan does not reach what was asked for. */
  readonly unmet?: Failure;
}

export interface EndpointReport {
  readonly endpoint: string;
  readonly from: string;
  readonly to: string;
  readonly state: MoveLabel;
  readonly step: string | null;
  readonly pauseMs: number | null;
  readonly reason?: string;
  /** It would fail in the same way again: nothing plans it by itself. */
  readonly quarantined?: true;
}

export function reportOf({ at, batch, moves }: BatchSnapshot): BatchReport {
  const labels = moves.map(({ execution }) => labelOf(execution));
  const arrived = moves.filter((_, index) => isArrived(labels[index]));
  const pauses = arrived.flatMap((move) => pauseOf(move) ?? []).sort((one, other) => one - other);
  const tally = (...wanted: readonly MoveLabel[]): number =>
    labels.filter((label) => wanted.includes(label)).length;
  return {
    batch: batch.id,
    state: batch.state,
    reason: batch.reason,
    moves: {
      total: batch.total ?? moves.length,
      moved: arrived.length,
      rolledBack: tally('rolled-back'),
      stuck: tally('stuck'),
    },
    pauseMs: { p50: percentile(pauses, 0.5), p99: percentile(pauses, 0.99), max: pauses.at(-1) ?? null },
    bytes: arrived.reduce((sum, move) => sum + sizeOf(move), 0),
    seconds: Math.round((batch.endedAt ?? at) - batch.createdAt) / 1_000,
    endpoints: moves.map(reportOfMove),
    ...(batch.unknown === undefined ? {} : { unknown: batch.unknown }),
    ...(batch.skipped === undefined ? {} : { skipped: { lines: batch.skipped.lines } }),
    ...(batch.cancelled === undefined ? {} : { cancelled: batch.cancelled }),
    ...(batch.failure === undefined ? {} : { failure: batch.failure }),
    ...(batch.unmet === undefined ? {} : { unmet: batch.unmet }),
  };
}

/** Everything that was asked for is where it was to go. */
export function hasAllMoved({ batch, moves }: BatchSnapshot): boolean {
  return (
    batch.state === 'completed' &&
    batch.unknown === undefined &&
    batch.skipped === undefined &&
    batch.failure === undefined &&
    batch.unmet === undefined &&
    moves.length >= (batch.total ?? 0) &&
    moves.every(({ execution }) => isArrived(labelOf(execution)))
  );
}

function reportOfMove(move: Move): EndpointReport {
  const { status } = move.execution;
  return {
    endpoint: move.endpoint,
    from: move.source,
    to: move.target,
    state: labelOf(move.execution),
    step: 'step' in status ? status.step : null,
    pauseMs: pauseOf(move) ?? null,
    ...('reason' in status
      ? {
          reason: `${status.reason.code}: ${status.reason.sentence}`,
          ...(status.reason.quarantined === true ? { quarantined: true } : {}),
        }
      : {}),
  };
}

/** By the nearest rank. @param sorted ascending */
export function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
