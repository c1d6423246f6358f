import type { Batch } from '../shared/domain/batch.ts';
import type { Json } from '../shared/domain/json.ts';
import { labelOf, type Move } from '../shared/domain/move.ts';
import { resultsOf } from '../shared/workflow/move-endpoint/results.ts';

/** What an auditor is told of one move. Names and meanings stay: a later release adds at the end. */
export interface ExportEntry {
  readonly v: 1;
  readonly [name: string]: Json;
}

const timeOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** Who moved what, when, why, approved by whom, and what came of it. */
export function entryOf(move: Move, batch: Batch | undefined): ExportEntry {
  const { execution, reasons = [] } = move;
  const { status } = execution;
  const { preflight, verify, freeze, activate } = resultsOf(move);
  const failure = 'reason' in status ? status.reason : undefined;
  return {
    v: 1,
    move: move.id,
    batch: move.batch,
    endpoint: move.endpoint,
    database: move.database,
    driver: move.driver,
    source: move.source,
    target: move.target,
    requestedBy: batch?.requestSource ?? null,
    requestedAt: timeOf(batch?.createdAt),
    requestId: batch?.requestId ?? null,
    reason: batch?.reason ?? null,
    otherReasons: reasons
      .filter((each) => each.batch !== move.batch)
      .map(({ batch: other, by, reason }) => ({ batch: other, by, reason })),
    approvedBy: batch?.approved?.by ?? null,
    approvedAt: timeOf(batch?.approved?.at),
    approvalReason: batch?.approved?.reason ?? null,
    cancelledBy: batch?.cancelled?.by ?? null,
    cancelledAt: timeOf(batch?.cancelled?.at),
    cancelReason: batch?.cancelled?.reason ?? null,
    placedBecause: move.why,
    priority: move.priority,
    createdAt: timeOf(move.createdAt),
    movedAt: timeOf(activate?.openedAt),
    endedAt: timeOf('endedAt' in status ? status.endedAt : undefined),
    outcome: labelOf(execution),
    joinedTo: move.joined?.move ?? null,
    failureCode: failure?.code ?? null,
    failure: failure?.sentence ?? null,
    bytes: preflight?.sizeBytes ?? null,
    mode: preflight?.mode ?? null,
    predictedPauseMs: freeze?.predictedMs ?? null,
    pauseMs: activate?.pauseMs ?? null,
    verifiedAt: timeOf(verify?.at),
    verification: verify?.report ?? null,
  };
}

/** The first line of a file of comma-separated values. */
export const csvHead = (entry: ExportEntry): string => Object.keys(entry).join(',');

/** As RFC 4180 has it: what is no text or number stands as JSON. */
export const csvLine = (entry: ExportEntry): string => Object.values(entry).map(cellOf).join(',');

/** A spreadsheet takes text that begins so for a formula: a mark before it keeps it text. */
const formula = /^[=+\-@\t\r]/;

function cellOf(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
