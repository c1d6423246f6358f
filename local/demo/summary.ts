/** What a run of the demo showed: as a table for people, as one line of JSON for programs. */
import { percentile } from '../../cli/batch-report.ts';
import { isArrived, type BatchSnapshot } from '../../shared/workflow/explain/batch-snapshot.ts';
import { styled } from '../../cli/text.ts';
import type { Text } from '../../cli/text.ts';
import { labelOf } from '../../shared/domain/move.ts';
import type { Move } from '../../shared/domain/move.ts';
import { isSound, sumAudits } from './audit.ts';
import type { LedgerAudit } from './audit.ts';

/** One endpoint's move, and what was found at its end. */
export interface Result {
  readonly move: Move;
  readonly bytes: number;
  /** The longest gap between two commits of each writer, in milliseconds. */
  readonly pausesMs: readonly number[];
  readonly audit: LedgerAudit;
  /** What differs, where the endpoint is now, of the tables that nobody writes to and of the catalog. */
  readonly differences: readonly string[];
}

/** The shape of the last line with `--json`. */
export interface Outcome {
  readonly batch: string;
  readonly state: string;
  readonly moves: {
    readonly total: number;
    readonly moved: number;
    readonly rolledBack: number;
    readonly stuck: number;
  };
  readonly writes: {
    readonly acknowledged: number;
    readonly lost: number;
    readonly duplicated: number;
    readonly reordered: number;
  };
  readonly pauseMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly bytes: number;
  readonly seconds: number;
}

/** Everything that was expected has moved, nothing is lost, everything is equal. */
export function isSuccess(results: readonly Result[], expected: number): boolean {
  return (
    results.length === expected && results.every((result) => hasMoved(result.move) && isVerified(result))
  );
}

/** Every line that was acknowledged is there once and in order, and the rest is as it was. */
export function isVerified({ audit, differences }: Result): boolean {
  return isSound(audit) && audit.acknowledged > 0 && differences.length === 0;
}

/** @param seconds from the event that asked for the moves to the end of the batch */
export function outcomeOf(
  { batch, moves }: BatchSnapshot,
  results: readonly Result[],
  seconds: number,
): Outcome {
  const count = (label: string): number =>
    moves.filter(({ execution }) => labelOf(execution) === label).length;
  const audit = sumAudits(results.map((result) => result.audit));
  const pauses = results.flatMap((result) => result.pausesMs).sort((one, other) => one - other);
  const pause = (share: number): number => Math.round(percentile(pauses, share) ?? 0);
  return {
    batch: batch.id,
    state: batch.state,
    moves: {
      total: batch.total ?? moves.length,
      moved: moves.filter(hasMoved).length,
      rolledBack: count('rolled-back'),
      stuck: count('stuck'),
    },
    writes: {
      acknowledged: audit.acknowledged,
      lost: audit.lost,
      // A line that says something else than was written is not the one that was: it is one too many.
      duplicated: audit.duplicated + audit.altered,
      reordered: audit.reordered,
    },
    pauseMs: { p50: pause(0.5), p99: pause(0.99), max: pause(1) },
    bytes: results.reduce((sum, result) => sum + (hasMoved(result.move) ? result.bytes : 0), 0),
    seconds: Math.round(seconds * 10) / 10,
  };
}

/**
 * The table and the totals, line by line.
 * @param secondsOf how long a move took, if it is known
 */
export function renderSummary(
  results: readonly Result[],
  outcome: Outcome,
  secondsOf: (move: string) => number | undefined,
): Text[] {
  const rows = results.map((result): Row => {
    const { move } = result;
    return {
      cells: [
        move.endpoint,
        `${move.source} → ${move.target}`,
        megabytes(result.bytes),
        secondsOf(move.id)?.toFixed(1) ?? '-',
        Math.max(0, ...result.pausesMs).toFixed(0),
      ],
      verdict: verdictOf(result),
    };
  });
  const { writes, moves, pauseMs } = outcome;
  return [
    ...table(['endpoint', 'from → to', 'MB', 'seconds', 'pause ms'], 'verified', rows),
    '',
    `${String(moves.moved)} of ${String(moves.total)} moved, ${megabytes(outcome.bytes)} MB in ${outcome.seconds.toFixed(1)} s; ` +
      `writers waited ${String(pauseMs.p50)} ms (p50), ${String(pauseMs.p99)} ms (p99), ${String(pauseMs.max)} ms (max)`,
    `${String(writes.acknowledged)} acknowledged writes: ${String(writes.lost)} lost, ` +
      `${String(writes.duplicated)} duplicated, ${String(writes.reordered)} reordered`,
    ...results.flatMap(complaintsOf),
  ];
}

interface Row {
  readonly cells: readonly string[];
  readonly verdict: Text;
}

/** Text in columns; all but the first two stand to the right. */
function table(head: readonly string[], last: string, rows: readonly Row[]): Text[] {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return [
    styled('strong', `${line(head)}  ${last}`),
    ...rows.map(({ cells, verdict }): Text => [`${line(cells)}  `, verdict]),
  ];
}

function verdictOf(result: Result): Text {
  if (!hasMoved(result.move)) return styled('bad', labelOf(result.move.execution));
  return isVerified(result) ? styled('good', 'yes') : styled('bad', 'NO');
}

/** At most this many findings are told of each endpoint. */
const mostComplaints = 12;

function complaintsOf({ move, audit, differences }: Result): Text[] {
  const found = [...audit.findings, ...audit.faults, ...differences];
  return found.slice(0, mostComplaints).map((finding) => styled('bad', `${move.endpoint}: ${finding}`));
}

function hasMoved({ execution }: Move): boolean {
  return isArrived(labelOf(execution));
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
