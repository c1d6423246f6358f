import * as z from 'zod';
import type { Session } from '../connection.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { text, truth, wholeNumber } from '../values.ts';

const grantShape = z.object({ grantee: text.nullable(), privilege: text, grantable: truth });

/**
 * What belongs to a database but stands in no dump of it. Plain JSON. Read before anything is changed: what
 * a move sets on the source (its limit, its readiness for connections) is restored from here.
 */
export const databaseAttributes = z.object({
  oid: z.int().positive(),
  owner: z.string(),
  encoding: z.string(),
  /** c: libc, i: ICU, b: built-in (from 17). */
  provider: z.enum(['c', 'i', 'b']),
  collate: z.string(),
  ctype: z.string(),
  /** Of ICU and the built-in provider. */
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  collationVersion: z.string().nullable(),
  tablespace: z.string(),
  allowConnections: z.boolean(),
  connectionLimit: z.int(),
  isTemplate: z.boolean(),
  comment: z.string().nullable(),
  /** Grantee null is everybody. Null where nothing was ever granted or revoked. */
  grants: z.array(grantShape).nullable(),
  /** `ALTER DATABASE … SET`, with a role where it is `ALTER ROLE … IN DATABASE … SET`. */
  settings: z.array(z.object({ role: z.string().nullable(), name: z.string(), value: z.string() })),
  sizeBytes: z.number(),
});
export type DatabaseAttributes = z.infer<typeof databaseAttributes>;

/** @param session in that database or in any other of the server; `name` must exist */
export async function readDatabaseAttributes(session: Session, name: string): Promise<DatabaseAttributes> {
  // The column of the locale was renamed in 17; its rules came with 16.
  const locale = session.major >= 17 ? 'd.datlocale' : 'd.daticulocale';
  const rules = session.major >= 16 ? 'd.daticurules' : 'NULL::text';
  const row = await session.one(
    `SELECT d.oid::bigint AS oid, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
            d.datlocprovider::text AS provider, d.datcollate AS collate, d.datctype AS ctype,
            ${locale} AS locale, ${rules} AS "icuRules", d.datcollversion AS "collationVersion",
            t.spcname AS tablespace, d.datallowconn AS "allowConnections", d.datconnlimit AS "connectionLimit",
            d.datistemplate AS "isTemplate", shobj_description(d.oid, 'pg_database') AS comment,
            d.datacl IS NOT NULL AS granted, pg_database_size(d.oid) AS size
       FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [name],
    databaseAttributes
      .omit({ oid: true, grants: true, settings: true, sizeBytes: true })
      .extend({ oid: wholeNumber, granted: truth, size: wholeNumber }),
  );
  const { granted, size, ...attributes } = row;
  const grants = await session.query(
    `SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END AS grantee,
            a.privilege_type AS privilege, a.is_grantable AS grantable
       FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = $1 ORDER BY 1 NULLS FIRST, 2`,
    [name],
    grantShape,
  );
  const settings = await session.query(
    `SELECT CASE WHEN s.setrole = 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END AS role, entry
       FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS entry
      WHERE d.datname = $1 ORDER BY 1 NULLS FIRST, 2`,
    [name],
    z.object({ role: text.nullable(), entry: text }),
  );
  return {
    ...attributes,
    sizeBytes: size,
    grants: granted ? grants : null,
    settings: settings.map(({ role, entry }) => {
      const at = entry.indexOf('=');
      return { role, name: entry.slice(0, at), value: entry.slice(at + 1) };
    }),
  };
}

/**
 * An empty database like the source's: same encoding, provider and locales. Its owner is the mover until
 * `applyDatabaseAttributes`. Give `closed` to let nobody in but who is there already.
 */
export function createDatabaseSql(
  name: string,
  attributes: DatabaseAttributes,
  options: { readonly major: number; readonly allowConnections?: boolean; readonly connectionLimit?: number },
): string {
  const { provider, locale } = attributes;
  const providers = { c: 'libc', i: 'icu', b: 'builtin' } as const;
  const parts = [
    'TEMPLATE template0',
    `ENCODING ${quoteLiteral(attributes.encoding)}`,
    `LOCALE_PROVIDER ${providers[provider]}`,
    `LC_COLLATE ${quoteLiteral(attributes.collate)}`,
    `LC_CTYPE ${quoteLiteral(attributes.ctype)}`,
  ];
  if (provider === 'i' && locale !== null) parts.push(`ICU_LOCALE ${quoteLiteral(locale)}`);
  if (provider === 'b' && locale !== null) parts.push(`BUILTIN_LOCALE ${quoteLiteral(locale)}`);
  if (attributes.icuRules !== null && options.major >= 16)
    parts.push(`ICU_RULES ${quoteLiteral(attributes.icuRules)}`);
  if (attributes.tablespace !== 'pg_default')
    parts.push(`TABLESPACE ${quoteIdentifier(attributes.tablespace)}`);
  if (options.allowConnections !== undefined)
    parts.push(`ALLOW_CONNECTIONS ${String(options.allowConnections)}`);
  if (options.connectionLimit !== undefined)
    parts.push(`CONNECTION LIMIT ${String(options.connectionLimit)}`);
  return `CREATE DATABASE ${quoteIdentifier(name)} WITH ${parts.join(' ')}`;
}

/** Settings whose value is a list: quoting it as a whole would make one name of it. */
const lists = new Set([
  'search_path',
  'temp_tablespaces',
  'session_preload_libraries',
  'local_preload_libraries',
  'shared_preload_libraries',
  'unix_socket_directories',
]);

/**
 * Statements that give a database on the target the owner, grants and settings of the source's. Limit,
 * readiness for connections and comment are left to whoever opens it. Running them again changes nothing.
 */
export function databaseAttributesSql(name: string, attributes: DatabaseAttributes): string[] {
  const database = quoteIdentifier(name);
  const sql = [`ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(attributes.owner)}`];
  for (const { role, name: setting, value } of attributes.settings) {
    const target =
      role === null
        ? `ALTER DATABASE ${database}`
        : `ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
    // The catalog keeps a list already quoted, name by name.
    const quoted = lists.has(setting) ? (value === '' ? "''" : value) : quoteLiteral(value);
    sql.push(`${target} SET ${setting.split('.').map(quoteIdentifier).join('.')} TO ${quoted}`);
  }
  if (attributes.grants !== null) {
    sql.push(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${quoteIdentifier(attributes.owner)}`);
    for (const { grantee, privilege, grantable } of attributes.grants) {
      const to = grantee === null ? 'PUBLIC' : quoteIdentifier(grantee);
      sql.push(`GRANT ${privilege} ON DATABASE ${database} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`);
    }
  }
  return sql;
}

/** Runs `databaseAttributesSql` in one transaction. */
export async function applyDatabaseAttributes(
  maintenance: Session,
  name: string,
  attributes: DatabaseAttributes,
): Promise<void> {
  await maintenance.transaction(async (session) => {
    await session.execute(databaseAttributesSql(name, attributes).join(';\n'));
  });
}
