import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteLiteral } from '../identifiers.ts';

/** By subscription: where, in the source's log, the last transaction that the target applied ended. */
export const places = z.record(z.string(), z.string());

/** The places, where the mover may read them (a superuser may; others by a grant); else nothing. */
export const readPlaces = (streams: readonly string[]): string =>
  `(SELECT coalesce(pg_catalog.jsonb_object_agg(s.subname, pg_catalog.pg_replication_origin_progress('pg_' || s.oid, false)), '{}')
      FROM pg_catalog.pg_subscription s
      JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database()
     WHERE s.subname = ANY (ARRAY[${streams.map(quoteLiteral).join(', ')}]::name[]))`;

export async function mayReadPlaces(target: Session): Promise<boolean> {
  const { may } = await target.one(
    `SELECT pg_catalog.has_function_privilege('pg_catalog.pg_replication_origin_progress(text, boolean)', 'EXECUTE') AS may`,
    [],
    z.object({ may: z.boolean() }),
  );
  return may;
}
