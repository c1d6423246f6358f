import * as z from 'zod';
import type { Session } from './connection.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import { maybeText, text, truth, wholeNumber } from './values.ts';

const role = z.object({
  name: text,
  /** Why the database needs it. */
  uses: z.array(z.enum(['owner', 'grantee', 'policy', 'setting', 'member', 'group'])),
  canLogin: truth,
  superuser: truth,
  inherit: truth,
  createRole: truth,
  createDb: truth,
  replication: truth,
  bypassRls: truth,
  connectionLimit: wholeNumber,
  validUntil: maybeText,
});
/** A role that the database mentions, or that reaches it through one that it mentions. */
export type NeededRole = z.infer<typeof role>;

const membership = z.object({ group: text, member: text, admin: truth, inherits: truth, sets: truth });
export type Membership = z.infer<typeof membership>;

export interface NeededRoles {
  readonly roles: readonly NeededRole[];
  readonly memberships: readonly Membership[];
}

const columns = `r.rolname AS name, r.rolcanlogin AS "canLogin", r.rolsuper AS superuser, r.rolinherit AS inherit,
  r.rolcreaterole AS "createRole", r.rolcreatedb AS "createDb", r.rolreplication AS replication,
  r.rolbypassrls AS "bypassRls", r.rolconnlimit AS "connectionLimit", r.rolvaliduntil::text AS "validUntil"`;

/**
 * Owners, grantees, roles of policies and of settings, from the server's own book of dependencies; then the
 * members of those (who log in) and the groups those belong to. Predefined roles are everywhere and left out.
 * @param session inside the database
 */
export async function readNeededRoles(session: Session): Promise<NeededRoles> {
  const roles = await session.query(
    `WITH RECURSIVE direct(oid, use) AS (
       SELECT d.refobjid, CASE d.deptype WHEN 'o' THEN 'owner' WHEN 'r' THEN 'policy' ELSE 'grantee' END
         FROM pg_shdepend d JOIN pg_database b ON b.datname = current_database()
        WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('o', 'a', 'r')
          AND (d.dbid = b.oid OR (d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = b.oid))
       UNION
       SELECT datdba, 'owner' FROM pg_database WHERE datname = current_database()
       UNION
       SELECT s.setrole, 'setting' FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase
        WHERE b.datname = current_database() AND s.setrole <> 0
       UNION
       -- The first superuser is pinned and stands in no book.
       SELECT own.oid, 'owner' FROM (
           SELECT relowner AS oid FROM pg_class c WHERE c.oid >= 16384 AND c.relkind <> 't' AND NOT EXISTS (
             SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
           UNION SELECT proowner FROM pg_proc p WHERE p.oid >= 16384 AND NOT EXISTS (
             SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
           UNION SELECT nspowner FROM pg_namespace n WHERE n.oid >= 16384
         ) own WHERE own.oid = 10
     ), groups(oid) AS (
       SELECT oid FROM direct UNION SELECT m.roleid FROM groups JOIN pg_auth_members m ON m.member = groups.oid
     ), members(oid) AS (
       SELECT oid FROM direct WHERE oid <> 10
       UNION SELECT m.member FROM members JOIN pg_auth_members m ON m.roleid = members.oid
     ), uses(oid, use) AS (
       SELECT oid, use FROM direct
       UNION SELECT oid, 'group' FROM groups WHERE oid NOT IN (SELECT oid FROM direct)
       UNION SELECT oid, 'member' FROM members WHERE oid NOT IN (SELECT oid FROM direct)
     )
     SELECT ${columns}, array_agg(DISTINCT u.use) AS uses
       FROM uses u JOIN pg_roles r ON r.oid = u.oid
      WHERE r.oid = 10 OR r.oid >= 16384
      GROUP BY r.oid, ${columns.replaceAll(/ AS "?\w+"?/g, '')}
      ORDER BY 1`,
    [],
    role,
  );
  return {
    roles,
    memberships: await readMemberships(
      session,
      roles.map(({ name }) => name),
    ),
  };
}

async function readMemberships(session: Session, names: readonly string[]): Promise<Membership[]> {
  const options = session.major >= 16 ? 'bool_or(m.inherit_option)' : 'true';
  const sets = session.major >= 16 ? 'bool_or(m.set_option)' : 'true';
  return await session.query(
    `SELECT g.rolname AS "group", u.rolname AS member, bool_or(m.admin_option) AS admin,
            ${options} AS inherits, ${sets} AS sets
       FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
      WHERE u.rolname = ANY ($1::text[]) AND (g.rolname = ANY ($1::text[]) OR g.oid < 16384)
      GROUP BY 1, 2 ORDER BY 1, 2`,
    [names],
    membership,
  );
}

export interface RoleDifferences {
  readonly missing: readonly NeededRole[];
  /** There, but not allowed to do what it may do on the source, e.g. to log in. */
  readonly weaker: readonly { readonly name: string; readonly lacks: readonly string[] }[];
  readonly missingMemberships: readonly Membership[];
}

/** What the target lacks of them. */
export async function compareRoles(needed: NeededRoles, target: Session): Promise<RoleDifferences> {
  const names = needed.roles.map(({ name }) => name);
  const present = await target.query(
    `SELECT ${columns}, ARRAY[]::text[] AS uses FROM pg_roles r WHERE r.rolname = ANY ($1::text[])`,
    [names],
    role,
  );
  const there = new Map(present.map((one) => [one.name, one]));
  const memberships = await readMemberships(target, names);
  const joined = new Set(memberships.map(({ group, member }) => JSON.stringify([group, member])));
  return {
    missing: needed.roles.filter(({ name }) => !there.has(name)),
    weaker: needed.roles.flatMap((one) => {
      const other = there.get(one.name);
      if (other === undefined || other.superuser) return [];
      const lacks = [
        ...(one.canLogin && !other.canLogin ? ['LOGIN'] : []),
        ...(one.bypassRls && !other.bypassRls ? ['BYPASSRLS'] : []),
        ...(one.inherit && !other.inherit ? ['INHERIT'] : []),
      ];
      return lacks.length > 0 ? [{ name: one.name, lacks }] : [];
    }),
    missingMemberships: needed.memberships.filter(
      ({ group, member }) =>
        there.has(member) &&
        there.get(member)?.superuser !== true &&
        !joined.has(JSON.stringify([group, member])),
    ),
  };
}

/** A role that is more than a tenant's is never made by a move. */
export const isPowerful = (one: NeededRole): boolean =>
  one.superuser || one.replication || one.bypassRls || one.createRole;

/** May we read the password verifiers of this server? */
export async function readsVerifiers(session: Session): Promise<boolean> {
  const { may } = await session.one(
    `SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS may`,
    [],
    z.object({ may: truth }),
  );
  return may;
}

/**
 * Makes the missing roles on the target, passwords included (their verifiers, verbatim), and the missing
 * memberships. A role that is there is never touched, and none is ever dropped: others may rely on it.
 * Running it again changes nothing. @returns the names of the roles that it made
 */
export async function copyRoles(source: Session, target: Session, needed: NeededRoles): Promise<string[]> {
  const { missing } = await compareRoles(needed, target);
  const secrets = await source.query(
    'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolname = ANY ($1::text[])',
    [missing.map(({ name }) => name)],
    z.object({ name: text, verifier: maybeText }),
  );
  const verifiers = new Map(secrets.map(({ name, verifier }) => [name, verifier]));
  const settings = await source.query(
    `SELECT r.rolname AS name, entry FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS entry
      WHERE s.setdatabase = 0 AND r.rolname = ANY ($1::text[])`,
    [missing.map(({ name }) => name)],
    z.object({ name: text, entry: text }),
  );
  await keepOutOfLog(target);
  return await target.transaction(async () => {
    // Two moves may bring the same role: one after the other.
    await target.execute(`SELECT pg_advisory_xact_lock(hashtextextended('drayage roles', 0))`);
    const still = await compareRoles(needed, target);
    const made: string[] = [];
    for (const one of still.missing.filter((each) => !isPowerful(each))) {
      await target.execute(createRoleSql(one, verifiers.get(one.name) ?? null));
      for (const { entry } of settings.filter(({ name }) => name === one.name)) {
        const at = entry.indexOf('=');
        const setting = entry.slice(0, at).split('.').map(quoteIdentifier).join('.');
        await target.execute(
          `ALTER ROLE ${quoteIdentifier(one.name)} SET ${setting} TO ${quoteLiteral(entry.slice(at + 1))}`,
        );
      }
      made.push(one.name);
    }
    // Only roles that we have just made get memberships: the others are somebody's.
    const joins = needed.memberships.filter(({ member }) => made.includes(member));
    for (const { group, member, admin, inherits, sets } of joins) {
      const options =
        target.major >= 16
          ? ` WITH ADMIN ${String(admin)}, INHERIT ${String(inherits)}, SET ${String(sets)}`
          : admin
            ? ' WITH ADMIN OPTION'
            : '';
      await target.execute(`GRANT ${quoteIdentifier(group)} TO ${quoteIdentifier(member)}${options}`);
    }
    return made;
  });
}

function createRoleSql(one: NeededRole, verifier: string | null): string {
  const parts = [
    one.canLogin ? 'LOGIN' : 'NOLOGIN',
    one.inherit ? 'INHERIT' : 'NOINHERIT',
    one.createDb ? 'CREATEDB' : 'NOCREATEDB',
    `CONNECTION LIMIT ${String(one.connectionLimit)}`,
  ];
  if (verifier !== null) parts.push(`PASSWORD ${quoteLiteral(verifier)}`);
  if (one.validUntil !== null) parts.push(`VALID UNTIL ${quoteLiteral(one.validUntil)}`);
  return `CREATE ROLE ${quoteIdentifier(one.name)} ${parts.join(' ')}`;
}

/** A verifier must not stand in the server's log; who may not switch that off does not create roles either. */
async function keepOutOfLog(target: Session): Promise<void> {
  for (const [name, value] of [
    ['log_statement', 'none'],
    ['log_min_duration_statement', '-1'],
    ['log_min_error_statement', 'panic'],
  ]) {
    await target.execute(`SET ${name ?? ''} = '${value ?? ''}'`).catch(() => undefined);
  }
}
