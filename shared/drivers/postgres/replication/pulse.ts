import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteLiteral } from '../identifiers.ts';
import { markerTable } from './stream.ts';

/**
 * A beat is one commit on the source that changes the marker. Once the target shows it, everything that was
 * committed on the source before it has been applied: exact, where log positions are flushed and reported late.
 */
export async function writeBeat(source: Session, schema: string): Promise<string> {
  const beat = randomUUID();
  // One message, one implicit transaction. The walsender sends what is flushed here; a standby of the source
  // that does not answer must not hold up its move.
  await source.execute(
    `SET LOCAL synchronous_commit = local; UPDATE ${markerTable(schema)} SET beat = ${quoteLiteral(beat)}`,
  );
  return beat;
}

/** The beat that a side shows. */
export async function readBeat(session: Session, schema: string): Promise<string | undefined> {
  const row = await session.maybeOne(
    `SELECT beat FROM ${markerTable(schema)} WHERE id = 1`,
    [],
    z.object({ beat: z.string() }),
  );
  return row?.beat;
}

/** Resolves true when the target shows `beat`, false after `patienceMs`. */
export async function awaitBeat(
  target: Session,
  schema: string,
  beat: string,
  patienceMs: number,
): Promise<boolean> {
  const started = performance.now();
  for (;;) {
    if ((await readBeat(target, schema)) === beat) return true;
    const waited = performance.now() - started;
    if (waited > patienceMs) return false;
    // In the freeze each millisecond counts; what has taken long already may take a twentieth more.
    await delay(Math.max(1, Math.min(50, waited / 20)));
  }
}
