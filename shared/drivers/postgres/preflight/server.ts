import * as z from 'zod';
import type { Session } from '../connection.ts';
import { bundledMajor } from '../schema/dump.ts';
import { text, truth, wholeNumber } from '../values.ts';
import type { Findings } from './report.ts';
import { some } from './report.ts';

const serverShape = z.object({
  systemIdentifier: text,
  started: text,
  standby: truth,
  walLevel: text,
  slots: wholeNumber,
  freeSlots: wholeNumber,
  senders: wholeNumber,
  freeSenders: wholeNumber,
  origins: wholeNumber,
  freeOrigins: wholeNumber,
  workers: wholeNumber,
  freeWorkers: wholeNumber,
  workerProcesses: wholeNumber,
  walKeepSize: text,
  lockEntries: wholeNumber,
  user: text,
  superuser: truth,
  createDb: truth,
  replication: truth,
  bypassRls: truth,
  signals: truth,
  subscribes: truth,
  maintenanceCreate: truth,
});
export type Server = z.infer<typeof serverShape> & {
  readonly versionNumber: number;
  readonly major: number;
  readonly name: string;
};

/** Limits, what is left of them, and what the mover may do. One statement. */
export async function readServer(maintenance: Session, tokenSchema: string): Promise<Server> {
  const origins = maintenance.major >= 18 ? 'max_active_replication_origins' : 'max_replication_slots';
  const subscribes =
    maintenance.major >= 16 ? `pg_has_role(current_user, 'pg_create_subscription', 'USAGE')` : 'r.rolsuper';
  const setting = (name: string): string => `current_setting('${name}')::bigint`;
  const server = await maintenance.one(
    `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
            pg_postmaster_start_time()::text AS started, pg_is_in_recovery() AS standby,
            current_setting('wal_level') AS "walLevel",
            ${setting('max_replication_slots')} AS slots,
            ${setting('max_replication_slots')} - (SELECT count(*) FROM pg_replication_slots) AS "freeSlots",
            ${setting('max_wal_senders')} AS senders,
            ${setting('max_wal_senders')} - (SELECT count(*) FROM pg_stat_get_activity(NULL) a WHERE a.backend_type = 'walsender') AS "freeSenders",
            ${setting(origins)} AS origins,
            ${setting(origins)} - (SELECT count(*) FROM pg_replication_origin) AS "freeOrigins",
            ${setting('max_logical_replication_workers')} AS workers,
            ${setting('max_logical_replication_workers')}
              - (SELECT count(*) FROM pg_stat_get_activity(NULL) a
                  WHERE a.backend_type LIKE 'logical replication %worker') AS "freeWorkers",
            ${setting('max_worker_processes')} AS "workerProcesses",
            current_setting('max_slot_wal_keep_size') AS "walKeepSize",
            ${setting('max_locks_per_transaction')}
              * (${setting('max_connections')} + ${setting('max_prepared_transactions')}) AS "lockEntries",
            current_user::text AS "user", r.rolsuper AS superuser, r.rolcreatedb OR r.rolsuper AS "createDb",
            r.rolreplication OR r.rolsuper AS replication, r.rolbypassrls OR r.rolsuper AS "bypassRls",
            pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS signals, ${subscribes} AS subscribes,
            has_database_privilege(current_database(), 'CREATE') OR EXISTS (
              SELECT FROM pg_namespace n WHERE n.nspname = $1 AND pg_has_role(current_user, n.nspowner, 'USAGE'))
              AS "maintenanceCreate"
       FROM pg_roles r WHERE r.rolname = current_user`,
    [tokenSchema],
    serverShape,
  );
  return {
    ...server,
    versionNumber: maintenance.versionNumber,
    major: maintenance.major,
    name: maintenance.server,
  };
}

/** A version that is known, and a primary. */
export function checkServer(
  { name, major, standby }: Server,
  findings: Findings,
  newestMajor = bundledMajor,
): void {
  if (major < 15) {
    findings.blocker(
      'server-too-old',
      `${name} is PostgreSQL ${String(major)}; 15 is the oldest that can be moved.`,
      'Upgrade the server.',
      name,
    );
  }
  if (major > newestMajor) {
    findings.blocker(
      'server-too-new',
      `${name} is PostgreSQL ${String(major)}; ${String(newestMajor)} is the newest that is known.`,
      'Use a release of Drayage that knows it.',
      name,
    );
  }
  if (standby) {
    findings.blocker(
      'standby',
      `${name} is a standby: it takes no writes.`,
      'Give the address of the primary.',
      name,
    );
  }
}

/** Versions, identity, and that both are primaries. */
export function checkServers(
  source: Server,
  target: Server,
  findings: Findings,
  newestMajor = bundledMajor,
): void {
  for (const server of [source, target]) checkServer(server, findings, newestMajor);
  if (source.major > target.major) {
    findings.blocker(
      'target-older',
      `The target ${target.name} is PostgreSQL ${String(target.major)}, older than the source (${String(source.major)}).`,
      'Move to a server of the same or a newer major.',
      target.name,
    );
  }
  if (source.systemIdentifier !== target.systemIdentifier) return;
  if (source.started === target.started) {
    findings.blocker(
      'same-server',
      `${source.name} and ${target.name} are one and the same server.`,
      'Choose another target, or correct the address of one of the hosts.',
    );
  } else {
    findings.blocker(
      'cloned-server',
      `${source.name} and ${target.name} have the same system identifier: one is a physical copy of the other, and what is dropped by identity could be the wrong one.`,
      'Set the target up with initdb, not from a copy of the source.',
    );
  }
}

/** What a mover that is no superuser lacks for moves out of a server, or into it, whichever database moves. */
export function checkRights(
  server: Server,
  side: 'out' | 'in',
  maintenance: string,
  findings: Findings,
): void {
  if (server.superuser) return;
  if (side === 'in' && server.major < 16) {
    findings.blocker(
      'superuser-required',
      `"${server.user}" is no superuser of ${server.name}, and PostgreSQL ${String(server.major)} lets nobody else subscribe.`,
      'Use a superuser for this host, or a server of 16 or later.',
      server.name,
    );
  }
  const lacks = [
    ...(server.createDb ? [] : ['CREATEDB']),
    ...(server.signals ? [] : ['membership in pg_signal_backend']),
    ...(side === 'out' && !server.replication ? ['REPLICATION'] : []),
    ...(side === 'in' && server.major >= 16 && !server.subscribes
      ? ['membership in pg_create_subscription']
      : []),
    ...(server.maintenanceCreate ? [] : [`CREATE on database "${maintenance}"`]),
  ];
  for (const lack of lacks) {
    findings.blocker(
      'privilege-missing',
      `"${server.user}" lacks ${lack} on ${server.name}.`,
      `As a superuser there: ${cureOf(lack, server.user)}`,
      server.name,
    );
  }
}

/** What movers that are no superusers lack, one by one. */
export async function checkPrivileges(
  sides: { readonly source: Server; readonly target: Server; readonly maintenance: string },
  inside: Session,
  targetMaintenance: Session,
  owners: readonly string[],
  findings: Findings,
): Promise<void> {
  const { source, target, maintenance } = sides;
  checkRights(source, 'out', maintenance, findings);
  checkRights(target, 'in', maintenance, findings);
  if (!source.superuser) await checkMembership(inside, source, owners, 'USAGE', findings);
  if (!target.superuser) {
    await checkMembership(targetMaintenance, target, owners, target.major >= 16 ? 'SET' : 'MEMBER', findings);
  }
}

function cureOf(lack: string, user: string): string {
  if (lack.startsWith('membership in ')) return `GRANT ${lack.slice('membership in '.length)} TO "${user}";`;
  if (lack.startsWith('CREATE on '))
    return `GRANT ${lack.replace(' on database', ' ON DATABASE')} TO "${user}";`;
  return `ALTER ROLE "${user}" ${lack};`;
}

async function checkMembership(
  session: Session,
  server: Server,
  owners: readonly string[],
  kind: 'USAGE' | 'SET' | 'MEMBER',
  findings: Findings,
): Promise<void> {
  const missing = await session.query(
    `SELECT r.rolname::text AS name FROM pg_roles r
      WHERE r.rolname = ANY ($1::text[]) AND NOT pg_has_role(current_user, r.oid, $2) ORDER BY 1`,
    [owners, kind],
    z.object({ name: text }),
  );
  const names = missing.map(({ name }) => name);
  if (names.length === 0) return;
  findings.blocker(
    'privilege-missing',
    `"${server.user}" is no member of the owning role${names.length > 1 ? 's' : ''} ${some(names)} on ${server.name}.`,
    `As a superuser there: GRANT ${names.map((name) => `"${name}"`).join(', ')} TO "${server.user}";`,
    server.name,
  );
}
