import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { Session } from '../connection.ts';
import { wholeNumber } from '../values.ts';

/**
 * Where the copy of one table stands, in PostgreSQL's own letters: `i` waiting, `d` copying, `f` copied,
 * `s` caught up to the others, `r` streamed with the others.
 */
export interface TableState {
  readonly stream: string;
  readonly schema: string;
  readonly name: string;
  readonly state: string;
  /** Of a table that is being copied just now. */
  readonly copiedBytes: number;
}

/** Looks at the catalog alone: the size of a table could not be asked while its key is being built. */
export async function readTableStates(target: Session, streams: readonly string[]): Promise<TableState[]> {
  return await target.query(
    `SELECT s.subname::text AS stream, n.nspname::text AS schema, c.relname::text AS name,
            r.srsubstate::text AS state,
            coalesce(p.bytes_processed, 0) AS "copiedBytes"
       FROM pg_catalog.pg_subscription_rel r
       JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
       JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_stat_progress_copy p
              ON p.relid = c.oid AND p.datname = pg_catalog.current_database()
      WHERE s.subname = ANY ($1::name[])`,
    [streams],
    z.object({
      stream: z.string(),
      schema: z.string(),
      name: z.string(),
      state: z.string(),
      copiedBytes: wholeNumber,
    }),
  );
}

export interface SlotState {
  readonly name: string;
  readonly active: boolean;
  readonly walStatus: string | null;
  /** Bytes of WAL that the target has not confirmed. */
  readonly lagBytes: number;
}

export async function readSlots(source: Session, names: readonly string[]): Promise<SlotState[]> {
  return await source.query(
    `SELECT slot_name::text AS name, active, wal_status AS "walStatus",
            coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint
              AS "lagBytes"
       FROM pg_catalog.pg_replication_slots WHERE slot_name = ANY ($1::name[])`,
    [names],
    z.object({
      name: z.string(),
      active: z.boolean(),
      walStatus: z.string().nullable(),
      lagBytes: wholeNumber,
    }),
  );
}

/** Errors of the target's workers since the subscriptions were made. */
export async function readApplyErrors(target: Session, streams: readonly string[]): Promise<number> {
  const { errors } = await target.one(
    `SELECT coalesce(sum(apply_error_count + sync_error_count), 0)::bigint AS errors
       FROM pg_catalog.pg_stat_subscription_stats WHERE subname = ANY ($1::name[])`,
    [streams],
    z.object({ errors: wholeNumber }),
  );
  return errors;
}

/** @throws StepFailure when a slot is lost or about to be: the move starts over, nothing is lost */
export function assertSlots(slots: readonly SlotState[], names: readonly string[], host: string): void {
  const missing = names.find((name) => !slots.some((slot) => slot.name === name));
  if (missing !== undefined) {
    throw new StepFailure(
      {
        code: 'slot-missing',
        sentence: `The replication slot "${missing}" on host "${host}" is gone.`,
        cure: 'Somebody has dropped it. Start the move again; the source was not touched.',
      },
      'fail',
    );
  }
  const bad = slots.find(({ walStatus }) => walStatus === 'lost' || walStatus === 'unreserved');
  if (bad === undefined) return;
  throw new StepFailure(
    {
      code: 'slot-invalidated',
      sentence: `The source "${host}" no longer keeps the WAL that slot "${bad.name}" needs (${bad.walStatus ?? ''}).`,
      cure: 'Raise max_slot_wal_keep_size (or set it to -1) on the source and start the move again.',
    },
    'fail',
  );
}
