import * as z from 'zod';
import type { CleanupEntry } from '../../domain/cleanup.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { HostSite, Residue } from '../../ports/driver.ts';
import { siteAddress } from './address.ts';
import { connect } from './connection.ts';
import type { Session } from './connection.ts';
import { look } from './describe.ts';
import { readSystemIdentifier } from './hands.ts';
import { quoteIdentifier } from './identifiers.ts';
import { applicationName, installationOf, moveNames, parseComment, parseName } from './names.ts';
import type { MoveIdentity } from './names.ts';
import { patiently } from './patience.ts';
import { dropSourceSchema } from './replication/identity.ts';
import { dropRole } from './replication/role.ts';
import { dropSlots } from './replication/slots.ts';
import { endKeepers } from './replication/snapshot.ts';
import { dropSubscription } from './replication/subscription.ts';
import { busyDatabases } from './token.ts';
import { wholeNumber } from './values.ts';

/**
 * Everything on a server that carries the installation's name: databases under construction, retained or
 * condemned, slots, roles, subscriptions; and inside the databases where a move was, publications and schemas.
 */
export async function findResidue(site: HostSite, installation: string): Promise<readonly Residue[]> {
  const address = siteAddress(site);
  return await look(site, async (session) => {
    const systemIdentifier = await readSystemIdentifier(session);
    const shared = await session.query(
      `SELECT 'database' AS kind, datname::text AS name, oid::bigint AS oid,
              coalesce(shobj_description(oid, 'pg_database'), '') AS comment, NULL::bigint AS bytes FROM pg_database
       UNION ALL SELECT 'slot', slot_name::text, datoid::bigint, '', ${retained} FROM pg_replication_slots
                  WHERE datoid IS NOT NULL
       UNION ALL SELECT 'role', rolname::text, NULL, '', NULL FROM pg_roles
       UNION ALL SELECT 'subscription', subname::text, subdbid::bigint, '', NULL FROM pg_subscription`,
      [],
      thing,
    );
    const local: z.infer<typeof thing>[] = [];
    for (const database of await busyDatabases(session, installation)) {
      local.push(...(await lookInside(site, address.maintenance, database)));
    }
    return [...shared, ...local].flatMap(({ kind, name, oid, comment, bytes }) => {
      // A target has its final name already, and says by its comment that it does not serve yet.
      const made = parseName(name, installation) ?? parseComment(comment, installation);
      if (made === undefined) return [];
      const known = kind === 'database' ? recordedName({ installation, ...made }, name, comment) : name;
      const item: CleanupEntry = {
        key: `${kind}:${known}`,
        kind,
        name,
        systemIdentifier,
        ...(oid === null ? {} : { oid }),
      };
      return [{ ...made, item, ...(bytes === null ? {} : { retainedBytes: bytes }) }];
    });
  });
}

/** A server that follows another writes no log of its own. */
const retained = `CASE WHEN pg_is_in_recovery() THEN NULL
  ELSE greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint END`;

const thing = z.object({
  kind: z.string(),
  name: z.string(),
  oid: wholeNumber.nullable(),
  comment: z.string(),
  bytes: wholeNumber.nullable(),
});

/** Under which name a database stands in the records: that of its making, or of its retention. */
function recordedName(identity: MoveIdentity, name: string, comment: string): string {
  const names = moveNames(identity);
  return comment === names.comment || name === names.provisional ? names.provisional : names.retained;
}

/** What keeps us out of a database says nothing about the others. */
const shut =
  /^(connect-privilege-missing|database-missing|database-closed|database-dropped|too-many-connections)$/;

async function lookInside(
  site: HostSite,
  maintenance: string,
  database: { name: string; oid: number },
): Promise<z.infer<typeof thing>[]> {
  if (database.name === maintenance) return [];
  const looking = inDatabase(site, database.name, async (session) => {
    const found = await session.query(
      `SELECT 'publication' AS kind, pubname::text AS name FROM pg_publication
       UNION ALL SELECT 'schema', nspname::text FROM pg_namespace`,
      [],
      z.object({ kind: z.string(), name: z.string() }),
    );
    return found.map((one) => ({ ...one, oid: database.oid, comment: '', bytes: null }));
  });
  return await looking.catch((error: unknown) => {
    if (error instanceof StepFailure && shut.test(error.failure.code)) return [];
    throw error;
  });
}

async function inDatabase<T>(
  site: HostSite,
  database: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connect(siteAddress(site), {
    database,
    applicationName: 'drayage/look',
    lockTimeoutMs: 200,
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Removes one thing, if server, oid and name agree. What is gone already is done. */
export async function removeResidue(site: HostSite, { item, move, run }: Residue): Promise<void> {
  await look(site, async (session) => {
    const found = await readSystemIdentifier(session);
    if (found !== item.systemIdentifier) throw notThis(site, item, 'it is another server now');
    const known = item.oid === undefined ? undefined : await databaseOf(session, item.oid);
    const database = known?.name;
    switch (item.kind) {
      case 'database':
        if (known === undefined) return;
        if (!known.comment.endsWith(` ${move} ${String(run)}`) && !isOurName(known.name, item.name)) {
          throw notThis(site, item, `the database is called "${known.name}" now`);
        }
        await removeDatabase(site, session, known.name, item.oid ?? 0);
        return;
      case 'slot':
        if (item.oid === undefined) return;
        await endKeepers(
          session,
          item.oid,
          applicationName({ installation: installationOf(item.name), move, run }, 'snapshot'),
        );
        await dropSlots(session, item.oid, [item.name]);
        return;
      case 'role':
        await dropRole(session, item.name);
        return;
      case 'subscription':
        if (database !== undefined)
          await inDatabase(site, database, async (s) => dropSubscription(s, item.name));
        return;
      case 'publication':
      case 'schema':
        if (database !== undefined) await removeInside(site, database, item.kind, item.name);
        return;
      default:
        throw notThis(site, item, 'settings are restored by the undo of their move');
    }
  });
}

async function removeInside(
  site: HostSite,
  database: string,
  kind: 'publication' | 'schema',
  name: string,
): Promise<void> {
  await inDatabase(site, database, async (session) => {
    if (kind === 'schema') await dropSourceSchema(session, name);
    else await patiently(session, `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`);
  });
}

async function removeDatabase(site: HostSite, session: Session, name: string, oid: number): Promise<void> {
  const subscriptions = await session.query(
    'SELECT subname::text AS name FROM pg_subscription WHERE subdbid = $1',
    [oid],
    z.object({ name: z.string() }),
  );
  if (subscriptions.length > 0) {
    await session.execute(`ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS true`);
    await inDatabase(site, name, async (inside) => {
      for (const subscription of subscriptions) await dropSubscription(inside, subscription.name);
    });
  }
  await session.execute(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`);
}

async function databaseOf(
  session: Session,
  oid: number,
): Promise<{ name: string; comment: string } | undefined> {
  return await session.maybeOne(
    `SELECT datname::text AS name, coalesce(shobj_description(oid, 'pg_database'), '') AS comment
       FROM pg_database WHERE oid = $1`,
    [oid],
    z.object({ name: z.string(), comment: z.string() }),
  );
}

const isOurName = (name: string, recorded: string): boolean => name === recorded && name.startsWith('dray_');

function notThis(site: HostSite, item: CleanupEntry, why: string): StepFailure {
  return new StepFailure(
    {
      code: 'not-ours',
      sentence: `The ${item.kind} "${item.name}" on host "${site.host}" is not removed: ${why}.`,
      cure: 'Look at it; if it can go, remove it by hand and forget the record.',
    },
    'fail',
  );
}
