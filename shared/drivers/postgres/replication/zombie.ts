/**
 * An assertion that must never fire: after the freeze no change came out of the source.
 *
 * The target knows for each subscription where, in the source's log, the last transaction it applied ended.
 * That place is noted together with the marker. A later place means that somebody wrote to the source after
 * it was frozen: the copy that serves now and the retained one have parted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import { quoteQualified } from '../identifiers.ts';
import { places, readPlaces } from './places.ts';

/** In the transaction that makes the tail durable: the marker that was seen, and the places. */
export async function noteSettled(
  tx: Session,
  schema: string,
  streams: readonly string[],
  beat: string,
  reads: boolean,
): Promise<void> {
  await tx.execute(
    `INSERT INTO ${quoteQualified(schema, 'settled')} AS s (id, said)
       SELECT 1, pg_catalog.jsonb_build_object('beat', $1::text, 'places', ${reads ? readPlaces(streams) : `'{}'::jsonb`})
       ON CONFLICT (id) DO UPDATE SET said = excluded.said`,
    [beat],
  );
}

const flushPatienceMs = 3000;

/**
 * Waits until the source has sent all of its log so far, then compares the places.
 * @throws StepFailure `written-after-freeze`
 */
export async function assertNoZombie(context: MoveContext, inside: Session): Promise<void> {
  const { source, names } = context;
  const row = await inside.maybeOne(
    `SELECT said FROM ${quoteQualified(names.schema, 'settled')} WHERE id = 1`,
    [],
    z.object({ said: z.string() }),
  );
  const note: unknown = row === undefined ? {} : JSON.parse(row.said);
  const noted = z.object({ places: places.default({}) }).parse(note).places;
  if (Object.keys(noted).length === 0) return;
  await awaitFlush(await source.maintenance(), Object.keys(noted));
  const { now } = await inside.one(
    `SELECT ${readPlaces([names.stream])} AS now`,
    [],
    z.object({ now: places }),
  );
  const moved = Object.entries(noted).find(([name, place]) => now[name] !== undefined && now[name] !== place);
  if (moved === undefined) return;
  throw new StepFailure(
    {
      code: 'written-after-freeze',
      sentence: `Something was written to "${context.job.database}" on host "${context.job.source.host}" after it was frozen (${moved[1]} to ${now[moved[0]] ?? ''}).`,
      cure: 'Nothing was lost on the target. Look at the retained copy for the late write before it is dropped, and report this.',
    },
    'fail',
  );
}

/** Until each sender has sent, and the target flushed, what the source's log holds now. */
async function awaitFlush(source: Session, slots: readonly string[]): Promise<void> {
  const { now } = await source.one(
    'SELECT pg_catalog.pg_current_wal_lsn()::text AS now',
    [],
    z.object({ now: z.string() }),
  );
  const until = performance.now() + flushPatienceMs;
  while (performance.now() < until) {
    const { behind } = await source.one(
      `SELECT count(*)::int AS behind FROM pg_catalog.pg_replication_slots
        WHERE slot_name = ANY ($1::name[]) AND active AND confirmed_flush_lsn < $2::pg_lsn`,
      [slots, now],
      z.object({ behind: z.int() }),
    );
    if (behind === 0) return;
    await delay(20);
  }
}
