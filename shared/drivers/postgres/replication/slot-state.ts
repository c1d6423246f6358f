import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { Session } from '../connection.ts';
import { wholeNumber } from '../values.ts';

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
