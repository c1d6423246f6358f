import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteLiteral, quoteQualified } from '../identifiers.ts';
import { markerTable } from './stream.ts';

/**
 * A beat is one commit on the source that changes the marker row of every stream. Once all of them show it on
 * the target, everything that was committed on the source before it has been applied: exact, where log
 * positions are flushed and reported late.
 */
export async function writeBeat(source: Session, schema: string, streams: number): Promise<string> {
  const beat = randomUUID();
  const updates = indexes(streams).map(
    (index) => `UPDATE ${quoteQualified(schema, markerTable(index))} SET beat = ${quoteLiteral(beat)}`,
  );
  // One message, one implicit transaction. The walsender sends what is flushed here; a standby of the source
  // that does not answer must not hold up its move.
  await source.execute(`SET LOCAL synchronous_commit = local; ${updates.join('; ')}`);
  return beat;
}

/** The beats that the target shows, by stream. */
export async function readBeats(
  target: Session,
  schema: string,
  streams: number,
): Promise<(string | null)[]> {
  const columns = indexes(streams).map(
    (index) => `(SELECT beat FROM ${quoteQualified(schema, markerTable(index))} WHERE id = 1)`,
  );
  const { beats } = await target.one(
    `SELECT ARRAY[${columns.join(', ')}]::text[] AS beats`,
    [],
    z.object({ beats: z.array(z.string().nullable()) }),
  );
  return beats;
}

/** Resolves true when every stream shows `beat`, false after `patienceMs`. */
export async function awaitBeat(
  target: Session,
  schema: string,
  streams: number,
  beat: string,
  patienceMs: number,
): Promise<boolean> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const beats = await readBeats(target, schema, streams);
    if (beats.every((seen) => seen === beat)) return true;
    if (performance.now() > until) return false;
    await delay(1);
  }
}

const indexes = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
