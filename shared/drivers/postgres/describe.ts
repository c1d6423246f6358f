import * as z from 'zod';
import type { DiscoveredEndpoint, HostDescription, HostSite } from '../../ports/driver.ts';
import { siteAddress } from './address.ts';
import { connect } from './connection.ts';
import type { Session } from './connection.ts';
import { readSystemIdentifier } from './hands.ts';
import { wholeNumber } from './values.ts';

/** A look at a host that changes nothing: its own connection, closed when done. */
export async function look<T>(site: HostSite, see: (session: Session) => Promise<T>): Promise<T> {
  const address = siteAddress(site);
  const session = await connect(address, {
    database: address.maintenance,
    applicationName: 'drayage/look',
    lockTimeoutMs: 200,
    statementTimeoutMs: 30_000,
  });
  try {
    return await see(session);
  } finally {
    await session.close();
  }
}

/** Slots that a move needs on its source: a stream, and one for each table that is copied just then. */
const slotsPerMove = 4;

/**
 * What a server is and how many moves it really has room for: out, by its slots and senders; in, by its
 * workers, of which a move takes one to apply and some to copy tables.
 */
export async function describe(site: HostSite): Promise<HostDescription> {
  return await look(site, async (session) => {
    const row = await session.one(
      `SELECT current_setting('server_version') AS version,
              current_setting('wal_level') AS "walLevel",
              current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)::int AS slots,
              current_setting('max_wal_senders')::int
                - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender')::int AS senders,
              current_setting('max_logical_replication_workers')::int AS workers,
              current_setting('max_worker_processes')::int AS processes,
              current_setting('max_sync_workers_per_subscription')::int AS "syncWorkers",
              coalesce(current_setting('max_active_replication_origins', true),
                       current_setting('max_replication_slots'))::int AS origins,
              current_setting('max_connections')::int AS connections,
              (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
      [],
      z.object({
        version: z.string(),
        walLevel: z.string(),
        slots: z.int(),
        senders: z.int(),
        workers: z.int(),
        processes: z.int(),
        syncWorkers: z.int(),
        origins: z.int(),
        connections: z.int(),
        superuser: z.boolean(),
      }),
    );
    const roomOut = Math.min(row.slots, row.senders);
    // At least one to apply and one to copy; more moves than that would wait for each other's workers.
    const roomIn = Math.min(Math.min(row.workers, row.processes - 1) / 2, row.origins / slotsPerMove);
    return {
      version: row.version,
      systemIdentifier: await readSystemIdentifier(session),
      movesOut: Math.max(
        Math.floor(roomOut / slotsPerMove),
        roomOut >= 2 ? 1 : 0,
        row.walLevel === 'logical' ? 0 : 1,
      ),
      movesIn: Math.max(Math.floor(roomIn), 1),
      facts: {
        walLevel: row.walLevel,
        freeSlots: row.slots,
        freeSenders: row.senders,
        logicalWorkers: row.workers,
        syncWorkers: row.syncWorkers,
        origins: row.origins,
        connections: row.connections,
        superuser: row.superuser,
      },
    };
  });
}

/** The databases that tenants use: not templates, not the one for maintenance, not closed ones, none of ours. */
export async function discover(site: HostSite): Promise<readonly DiscoveredEndpoint[]> {
  const { maintenance } = siteAddress(site);
  return await look(site, async (session) =>
    session.query(
      `SELECT datname::text AS database, pg_get_userbyid(datdba)::text AS owner,
              CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                   THEN pg_database_size(oid) ELSE 0 END AS "sizeBytes"
         FROM pg_database
        WHERE NOT datistemplate AND datallowconn AND datname <> ALL ($1::name[])
          AND datname !~ '^dray_[0-9a-z]+_[0-9a-z]{16}_'
        ORDER BY datname`,
      [[maintenance, 'postgres']],
      z.object({ database: z.string(), owner: z.string(), sizeBytes: wholeNumber }),
    ),
  );
}
