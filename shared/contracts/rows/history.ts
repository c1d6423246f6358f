import * as z from 'zod';
import type { MoveId } from '../../domain/ids.ts';
import { durationField, moveIdField, timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { type Row } from './row.ts';

const schema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  kind: z.literal('history'),
  /** Epoch seconds, as the table's time to live wants them. */
  expiresAt: timeField,
  move: moveIdField,
  version: z.int().positive(),
  at: timeField,
  by: z.string(),
  fact: z.string(),
  from: z.string(),
  to: z.string(),
  step: z.exactOptional(z.string()),
  ms: z.exactOptional(durationField),
  note: z.exactOptional(z.string()),
  letter: z.exactOptional(z.string()),
});

/** One transition of a move, with the time at which the row may go. */
export type HistoryRecord = Readonly<Omit<z.output<typeof schema>, 'pk' | 'sk' | 'kind'>>;

export const historyPrefix = 'HISTORY#';

export function encodeHistory(entry: HistoryRecord): Row {
  return {
    pk: historyKey(entry.move),
    sk: `${historyPrefix}${placeOf(entry)}`,
    ...entry,
    kind: 'history',
  };
}

/** Behind what made the version, and of several deeds each for itself. */
function placeOf({ version, letter }: HistoryRecord): string {
  const place = String(version).padStart(8, '0');
  return letter === undefined ? place : `${place}~${letter}`;
}

/** Where the history of a move stands: with the move. */
export const historyKey = (move: MoveId): string => `MOVE#${move}`;

/** @throws RowUnreadable */
export function decodeHistory(row: unknown): HistoryRecord {
  const { pk: _pk, sk: _sk, kind: _kind, ...entry } = readRow(schema, row);
  return entry;
}
